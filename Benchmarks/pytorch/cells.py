"""Cells that torch has no module for, and an LSTM beside torch's own, as one writes a cell with
PyTorch: the input's products are outside the loop, the loop is in Python, and autograd
differentiates it. Parameters have the names and the order that `cli` saves.

    python cells.py     # compares them with the numbers that the tests of `cli`'s cells use
"""

import json
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional

TESTS = pathlib.Path(__file__).resolve().parents[2] / "Tests"


class Cell(nn.Module):
    """A recurrent layer of which a subclass writes one step. It has `gates` input weights and
    biases, `recurrent` weights, and as many states as `states` names; the first is the output, or
    the first `output_count` side by side."""

    gates, recurrent, states, has_two_biases, output_count = 1, 1, ["h"], False, 1

    def __init__(self, inputs, hidden):
        super().__init__()
        self.hidden_size = hidden
        shapes = {"weight_ih_l0": (self.gates * hidden, inputs), "bias_ih_l0": (self.gates * hidden,)}
        if self.recurrent:
            shapes["weight_hh_l0"] = (self.recurrent * hidden, hidden)
        if self.has_two_biases:
            shapes["bias_hh_l0"] = (self.gates * hidden,)
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape).uniform_(-hidden**-0.5, hidden**-0.5)))

    def forward(self, inputs, state=None):
        bias = self.bias_ih_l0 + self.bias_hh_l0 if self.has_two_biases else self.bias_ih_l0
        projected = functional.linear(inputs, self.weight_ih_l0, bias)
        if state is None:
            state = tuple(inputs.new_zeros(1, inputs.shape[1], self.hidden_size) for _ in self.states)
        values, outputs = [part[0] for part in state], []
        step = self.prepare()
        for x in projected:
            values = step(x, *values)
            outputs.append(values[0])
        return torch.stack(outputs), tuple(value[None] for value in values)


class LSTM(Cell):
    gates, recurrent, states, has_two_biases = 4, 4, ["h", "c"], True

    def prepare(self):
        weight = self.weight_hh_l0.T

        def step(x, h, c):
            i, f, g, o = torch.addmm(x, h, weight).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c

        return step


class CoRNN(Cell):
    """Rusch & Mishra 2021, with the constants of the authors' experiment on sequential MNIST."""

    recurrent, states, constants = 2, ["y", "z"], (0.042, 2.7, 4.7)

    def prepare(self):
        # [W V] multiplies the two states side by side, as in the authors' program.
        weight, (dt, gamma, epsilon) = torch.cat(self.weight_hh_l0.chunk(2), 1).T, self.constants

        def step(x, y, z):
            drive = torch.addmm(x, torch.cat([y, z], 1), weight).tanh()
            z = z + dt * (drive - gamma * y - epsilon * z)
            return y + dt * z, z

        return step


class LEM(Cell):
    """Rusch, Mishra, Erichson & Mahoney 2022, with Δt = 1."""

    gates, recurrent, states = 4, 4, ["y", "z"]

    def prepare(self):
        hidden = self.hidden_size
        first, second = self.weight_hh_l0[: 3 * hidden].T, self.weight_hh_l0[3 * hidden :].T

        def step(x, y, z):
            one, two, move = torch.addmm(x[:, : 3 * hidden], y, first).chunk(3, 1)
            z = torch.lerp(z, move.tanh(), one.sigmoid())
            return torch.lerp(y, torch.addmm(x[:, 3 * hidden :], z, second).tanh(), two.sigmoid()), z

        return step


class MinGRU(Cell):
    """Feng et al. 2024, one step after another."""

    gates, recurrent = 2, 0

    def prepare(self):
        def step(x, h):
            gate, candidate = x.chunk(2, 1)
            return (torch.lerp(h, candidate, gate.sigmoid()),)

        return step


class MinGRUScan(MinGRU):
    """Feng et al. 2024, Appendix B: all steps at once in log-space, with a positive candidate. The
    logarithm of the state before the first step is that of a tiny number where it is 0."""

    def forward(self, inputs, state=None):
        gate, candidate = functional.linear(inputs, self.weight_ih_l0, self.bias_ih_l0).chunk(2, -1)
        log_candidate = torch.where(
            candidate >= 0, (functional.relu(candidate) + 0.5).log(), -functional.softplus(-candidate))
        kept = -functional.softplus(gate).cumsum(0)
        h = inputs.new_zeros(1, inputs.shape[1], self.hidden_size) if state is None else state[0]
        parts = torch.cat([h.clamp_min(1e-30).log(), log_candidate - functional.softplus(-gate) - kept])
        outputs = (kept + parts.logcumsumexp(0)[1:]).exp()
        return outputs, (outputs[-1:],)


class ComplexURNN(Cell):
    """Arjovsky, Shah & Bengio 2016 with any unitary weight A + iS. Real and imaginary parts are side
    by side, so that a step has one product; torch's complex numbers take a little longer."""

    gates, recurrent, states, output_count = 2, 2, ["re", "im"], 2

    def __init__(self, inputs, hidden):
        super().__init__(inputs, hidden)
        self.modrelu_bias_l0 = nn.Parameter(torch.zeros(hidden))

    def forward(self, inputs, state=None):
        real, imaginary = self.weight_hh_l0.chunk(2)
        weight = torch.cat([torch.cat([real, -imaginary], 1), torch.cat([imaginary, real], 1)]).T
        projected = functional.linear(inputs, self.weight_ih_l0, self.bias_ih_l0)
        if state is None:
            h = inputs.new_zeros(inputs.shape[1], 2 * self.hidden_size)
        else:
            h = torch.cat([part[0] for part in state], 1)
        outputs = []
        for x in projected:
            re, im = torch.addmm(x, h, weight).chunk(2, 1)
            # The smallest modulus keeps 0 / 0 out of values and gradients.
            modulus = (re * re + im * im).clamp_min(1e-12).sqrt()
            scale = (modulus + self.modrelu_bias_l0).relu() / modulus
            h = torch.cat([scale * re, scale * im], 1)
            outputs.append(h)
        return torch.stack(outputs), tuple(part[None] for part in h.chunk(2, 1))


class NNRNN(Cell):
    """Kerg et al. 2019, V = P Θ Pᵀ with an orthogonal P; V is multiplied out before the loop."""

    def __init__(self, inputs, hidden):
        super().__init__(inputs, hidden)
        self.theta_l0 = nn.Parameter(torch.eye(hidden))
        self.modrelu_bias_l0 = nn.Parameter(torch.zeros(hidden))
        pair = torch.arange(hidden) // 2
        self.register_buffer("present", (pair[None, :] <= pair[:, None]).to(self.theta_l0.dtype), persistent=False)

    def prepare(self):
        weight = (self.weight_hh_l0 @ (self.theta_l0 * self.present) @ self.weight_hh_l0.T).T

        def step(x, h):
            z = torch.addmm(x, h, weight)
            return (z.sign() * (z.abs() + self.modrelu_bias_l0).relu(),)

        return step


class LRU(nn.Module):
    """Orvieto et al. 2023, in complex numbers; only the diagonal recurrence is in the loop."""

    states, output_count = ["h", "re", "im"], 1

    def __init__(self, inputs, hidden):
        super().__init__()
        self.hidden_size = hidden
        self.weight_ih_l0 = nn.Parameter(torch.randn(3 * hidden, inputs) * inputs**-0.5)
        self.weight_hh_l0 = nn.Parameter(torch.randn(2 * hidden, hidden) * hidden**-0.5)
        squares = (torch.arange(hidden) + 0.5) / hidden
        self.nu_log_l0 = nn.Parameter((-0.5 * squares.log()).log())
        self.theta_log_l0 = nn.Parameter((2 * torch.pi * (1 - torch.rand(hidden))).log())
        self.gamma_log_l0 = nn.Parameter(0.5 * (1 - squares).log())
        with torch.no_grad():
            self.weight_ih_l0[: 2 * hidden] *= 0.5**0.5

    def forward(self, inputs, state=None):
        eigenvalues = torch.exp(torch.complex(-self.nu_log_l0.exp(), self.theta_log_l0.exp()))
        gamma = self.gamma_log_l0.exp()
        real, imaginary, direct = functional.linear(inputs, self.weight_ih_l0).chunk(3, -1)
        driven = torch.complex(gamma * real, gamma * imaginary)
        value = driven.new_zeros(driven.shape[1:]) if state is None else torch.complex(state[1][0], state[2][0])
        values = []
        for x in driven:
            value = torch.addcmul(x, eigenvalues, value)
            values.append(value)
        states = torch.stack(values)
        parts = self.weight_hh_l0.chunk(2)
        outputs = functional.linear(states.real, parts[0]) - functional.linear(states.imag, parts[1]) + direct
        return outputs, (outputs[-1:], value.real[None], value.imag[None])


LOOPS = {
    "lstm-loop": LSTM, "cornn": CoRNN, "lem": LEM, "mingru": MinGRU, "mingru-scan": MinGRUScan,
    "lru": LRU, "nnrnn": NNRNN, "complex-urnn": ComplexURNN,
}
FIXTURES = {
    "lstm-loop": "LSTMCellTests/Fixtures/lstm", "cornn": "CoRNNCellTests/Fixtures/cornn",
    "lem": "LEMCellTests/Fixtures/lem", "mingru": "MinGRUCellTests/Fixtures/mingru",
    "mingru-scan": "MinGRUCellTests/Fixtures/mingru_positive", "lru": "LRUCellTests/Fixtures/lru",
    "nnrnn": "NNRNNCellTests/Fixtures/nnrnn", "complex-urnn": "ComplexURNNCellTests/Fixtures/complex_urnn",
}


def main():
    def tensors(part):
        return {
            name: torch.tensor(value["values"], dtype=torch.float64).reshape(value["shape"])
            for name, value in part.items()}

    for name, kind in LOOPS.items():
        fixture = json.loads((TESTS / f"{FIXTURES[name]}.json").read_text())
        cell = kind(fixture["inputSize"], fixture["hiddenSize"]).double()
        cell.load_state_dict(tensors(fixture["parameters"]))
        inputs = {key: tensor.requires_grad_() for key, tensor in tensors(fixture["inputs"]).items()}
        output, final = cell(inputs["input"], tuple(inputs[f"{state}_0"] for state in cell.states))
        values = {"output": output} | {f"{state}_n": value for state, value in zip(cell.states, final)}
        weights = tensors(fixture["lossWeights"])
        sum((values[key] * weights[key]).sum() for key in values).backward()
        # A state that no step reads has no gradient.
        gradients = {
            key: torch.zeros_like(variable) if variable.grad is None else variable.grad for key, variable in (inputs | dict(cell.named_parameters())).items()}
        for found, expected in [(values, tensors(fixture["outputs"])), (gradients, tensors(fixture["gradients"]))]:
            for key, tensor in expected.items():
                error = (found[key] - tensor).abs().max() / tensor.abs().max().clamp_min(1e-3)
                if not error <= 1e-11:
                    sys.exit(f"{name}: {key} differs by {error:.1e}")
        print(f"{name}: outputs and gradients are those of {FIXTURES[name]}.json")


if __name__ == "__main__":
    main()
