"""Cells in PyTorch, as one would write them with it: nn.RNN, nn.GRU and nn.LSTM, and loops in Python
(`cells.py`); uRNN, uGRU and complex uRNN have weights that are set after each step."""

import torch
from torch import nn

from cells import LOOPS

# The cells of `cli`, and others: |x|, which nn.RNN doesn't support, torch's default, which the paper doesn't use, an
# LSTM as a loop, and a minGRU that computes all steps at once.
CELLS = ["rnn", "urnn", "gru", "ugru", "lstm", "cornn", "lem", "mingru", "lru", "nnrnn", "complex-urnn"]
CUSTOM_CELLS = ["urnn-abs", "rnn-tanh", "lstm-loop", "mingru-scan"]


def use_device(name, tf32):
    """Creates all later tensors on the device; products are in true FP32 unless `tf32`."""
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SystemExit(f"--device {name} can't be used: {str(error).splitlines()[0]}")
    torch.set_default_device(device)
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32


class AbsoluteRNN(nn.RNN):
    """An RNN with |x|, as one writes a cell that cuDNN doesn't have: the input's products
    are outside the loop, and the loop is in Python."""

    def __init__(self, inputs, hidden):
        super().__init__(inputs, hidden)

    def forward(self, inputs, state=None):
        projected = nn.functional.linear(inputs, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)
        h = inputs.new_zeros(inputs.shape[1], self.hidden_size) if state is None else state[0]
        outputs = []
        for x in projected:
            h = torch.addmm(x, h, self.weight_hh_l0.T).abs()
            outputs.append(h)
        return torch.stack(outputs), h[None]


class Network(nn.Module):
    """Embedding -> recurrent layer -> linear.

    With `every_position`, it has logits for every step and dropout on the embedding and
    the outputs (word_language_model); otherwise logits for the last step and dropout on
    the logits (the paper's toy tasks).
    """

    def __init__(self, cell, vocabulary, embedding, hidden, classes, every_position, dropout):
        super().__init__()
        self.every_position = every_position
        self.encoder = nn.Embedding(vocabulary, embedding)
        if cell == "urnn-abs":
            self.rnn = AbsoluteRNN(embedding, hidden)
        elif cell in LOOPS:
            self.rnn = LOOPS[cell](embedding, hidden)
        elif cell == "lstm":
            self.rnn = nn.LSTM(embedding, hidden)
        elif cell.endswith("gru"):
            self.rnn = nn.GRU(embedding, hidden)
        else:
            self.rnn = nn.RNN(embedding, hidden, nonlinearity="tanh" if cell == "rnn-tanh" else "relu")
        self.decoder = nn.Linear(getattr(self.rnn, "output_count", 1) * hidden, classes)
        self.dropout = nn.Dropout(dropout)
        if every_position:
            nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
            nn.init.uniform_(self.decoder.weight, -0.1, 0.1)
            nn.init.zeros_(self.decoder.bias)

    def forward(self, tokens, state=None):
        inputs = self.encoder(tokens)
        if self.every_position:
            output, state = self.rnn(self.dropout(inputs), state)
            return self.decoder(self.dropout(output)).flatten(0, 1), state
        output, state = self.rnn(inputs, state)
        return self.dropout(self.decoder(output[-1])), state


class PaperUpdate:
    """The update of Section 3: the skew parameter B descends along G W^T - W G^T, then W = exp(B).

    B starts at zero, so that W starts as the identity. In the uGRU, only the candidate's
    block of weight_hh is orthogonal. In the complex uRNN, weight_hh is the real part of a unitary
    W above its imaginary part, the transpose is the conjugate one, and B is skew-Hermitian.
    """

    def __init__(self, network, cell):
        self.weight = network.rnn.weight_hh_l0
        hidden = self.weight.shape[1]
        self.is_complex = cell == "complex-urnn"
        start = 2 * hidden if cell == "ugru" else 0
        self.rows = slice(start, start + (2 if self.is_complex else 1) * hidden)
        # Pairs of a real and an imaginary part, as the fused Adam takes no complex numbers.
        self.skew = nn.Parameter(torch.zeros(hidden, hidden, 2) if self.is_complex else torch.zeros(hidden, hidden))
        self.set_weight()

    def matrix(self, rows):
        return torch.complex(*rows.chunk(2)) if self.is_complex else rows

    @torch.no_grad()
    def set_weight(self):
        if self.is_complex:
            weight = torch.linalg.matrix_exp(torch.view_as_complex(self.skew))
            self.weight[self.rows] = torch.cat([weight.real, weight.imag])
        else:
            self.weight[self.rows] = torch.linalg.matrix_exp(self.skew)

    @torch.no_grad()
    def set_gradient(self):
        """Sets the gradient of B before the optimizer's step; the weight then gets none."""
        product = self.matrix(self.weight.grad[self.rows]) @ self.matrix(self.weight[self.rows]).mH
        gradient = product - product.mH
        self.skew.grad = torch.view_as_real(gradient) if self.is_complex else gradient
        self.weight.grad[self.rows] = 0


class Training:
    """A network, its optimizer and, for uRNN, uGRU and complex uRNN, the manifold's update."""

    def __init__(self, cell, network, learning_rate, clip_recurrent=None):
        self.network = network
        self.clip_recurrent = clip_recurrent
        self.update = PaperUpdate(network, cell) if cell.startswith(("u", "complex-u", "nnrnn")) else None
        parameters = list(network.parameters()) + ([self.update.skew] if self.update else [])
        # The fused implementation is the fastest that PyTorch has on a CPU.
        self.optimizer = torch.optim.Adam(parameters, lr=learning_rate, fused=True)

    def step(self, tokens, targets, state=None):
        """Takes one step on a batch; returns the loss and the state to carry over."""
        self.optimizer.zero_grad()
        logits, state = self.network(tokens, state)
        loss = nn.functional.cross_entropy(logits, targets)
        loss.backward()
        if self.clip_recurrent and hasattr(self.network.rnn, "weight_hh_l0"):
            self.network.rnn.weight_hh_l0.grad.clamp_(-self.clip_recurrent, self.clip_recurrent)
        if self.update:
            self.update.set_gradient()
        self.optimizer.step()
        if self.update:
            self.update.set_weight()
        return loss.detach(), tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
