"""Writes the JSON fixtures beside this file: small networks of PyTorch with all
weights, inputs, outputs and gradients, in float64. The LSTM's goes to its cell's tests;
those of cells for which torch has no module are written by scripts beside them, with `cell`.

    pip install torch numpy && python generate.py

The committed files came from torch 2.15.0 (each names its version). Tensors are
{"shape": [...], "values": [...]}, row-major, and go by torch's names. Sequences
are time-major: [T, B, ...].
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_default_dtype(torch.float64)
T, B, E, H = 7, 3, 4, 5
HERE = pathlib.Path(__file__).resolve().parent
LSTM = HERE.parents[1] / "LSTMCellTests/Fixtures"


def encoded(tensor):
    tensor = tensor.detach()
    return {"shape": list(tensor.shape), "values": tensor.flatten().tolist()}


def encoded_all(tensors):
    return {name: encoded(tensor) for name, tensor in tensors.items()}


def write(name, description, fixture, folder=HERE):
    path = folder / f"{name}.json"
    fixture = {"description": description, "torch": torch.__version__} | fixture
    path.write_text(json.dumps(fixture, indent=1).replace(",\n    ", ", ").replace("[\n    ", "[").replace("\n   ]", "]") + "\n")
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def recurrent(name, module, lengths=None, folder=HERE):
    """L = sum(output * w_output) + sum(h_n * w_h_n) (+ sum(c_n * w_c_n)), with fixed random w."""
    inputs = {"input": torch.randn(T, B, E)}
    states = ["h", "c"] if isinstance(module, nn.LSTM) else ["h"]
    for state in states:
        inputs[f"{state}_0"] = torch.randn(module.num_layers, B, H)
    for tensor in inputs.values():
        tensor.requires_grad_()
    initial = tuple(inputs[f"{state}_0"] for state in states)
    initial = initial if len(states) == 2 else initial[0]
    if lengths is None:
        output, final = module(inputs["input"], initial)
    else:
        packed = pack_padded_sequence(inputs["input"], lengths, enforce_sorted=False)
        output, final = module(packed, initial)
        output, _ = pad_packed_sequence(output, total_length=T)
    final = final if isinstance(final, tuple) else (final,)
    outputs = {"output": output} | {f"{state}_n": tensor for state, tensor in zip(states, final)}
    weights = {key: torch.randn_like(tensor) for key, tensor in outputs.items()}
    if lengths is not None:
        # Nothing asks for outputs after a sequence's end: torch has zeros there.
        weights["output"] *= mask(lengths)
    loss = sum((outputs[key] * weights[key]).sum() for key in outputs)
    variables = inputs | dict(module.named_parameters())
    gradients = dict(zip(variables, torch.autograd.grad(loss, list(variables.values()))))
    if lengths is not None:
        check_against_masking(module, inputs, weights, lengths, loss, variables, gradients)
    kind = f"nn.{type(module).__name__}({E}, {H}, num_layers={module.num_layers})"
    if isinstance(module, nn.RNN):
        kind = kind[:-1] + f", nonlinearity='{module.nonlinearity}')"
    write(name, kind + (f", packed sequences of lengths {lengths}" if lengths else ""), {
        "steps": T, "batch": B, "inputSize": E, "hiddenSize": H, "layers": module.num_layers,
        "lengths": lengths,
        "parameters": encoded_all(dict(module.named_parameters())),
        "inputs": encoded_all(inputs),
        "outputs": encoded_all(outputs),
        "lossWeights": encoded_all(weights),
        "loss": loss.item(),
        "gradients": encoded_all(gradients),
    }, folder)


def cell(name, description, folder, shapes, states, step, initial=torch.randn, check=None, output_count=1):
    """As `recurrent`, for the equations of one step: `step` takes the input [B, E], the states
    [B, H] by their names, and the parameters by the names in `shapes`; it returns the new states,
    of which the first `output_count`, side by side, are the output. `initial` draws the initial states. `check`
    gets the parameters, the inputs and the outputs, and asserts what else is known of them."""
    torch.manual_seed(20240607)
    parameters = {key: torch.randn(shape, requires_grad=True) for key, shape in shapes.items()}
    inputs = {"input": torch.randn(T, B, E)} | {f"{state}_0": initial(1, B, H) for state in states}
    for tensor in inputs.values():
        tensor.requires_grad_()
    values, output = {state: inputs[f"{state}_0"][0] for state in states}, []
    for x in inputs["input"]:
        values = step(x, values, parameters)
        output.append(torch.cat([values[state] for state in states[:output_count]], -1))
    outputs = {"output": torch.stack(output)} | {f"{state}_n": values[state][None] for state in states}
    if check:
        check(parameters, inputs, outputs)
    weights = {key: torch.randn_like(tensor) for key, tensor in outputs.items()}
    loss = sum((outputs[key] * weights[key]).sum() for key in outputs)
    variables = parameters | inputs
    # A state that no step reads has a gradient of zero.
    gradients = dict(zip(variables, torch.autograd.grad(loss, list(variables.values()), materialize_grads=True)))
    write(name, description, {
        "steps": T, "batch": B, "inputSize": E, "hiddenSize": H, "layers": 1, "lengths": None,
        "parameters": encoded_all(parameters), "inputs": encoded_all(inputs), "outputs": encoded_all(outputs),
        "lossWeights": encoded_all(weights), "loss": loss.item(), "gradients": encoded_all(gradients),
    }, folder)


def mask(lengths):
    return (torch.arange(T)[:, None] < torch.tensor(lengths)).double()[:, :, None]


def check_against_masking(module, inputs, weights, lengths, loss, variables, gradients):
    """Packing must be the same as a state that stops changing at its sequence's end."""
    h, total = inputs["h_0"], 0
    for t in range(T):
        _, new = module(inputs["input"][t : t + 1], h)
        h = torch.where(mask(lengths)[t] > 0, new, h)
        total = total + (h[-1] * weights["output"][t]).sum()
    total = total + (h * weights["h_n"]).sum()
    assert torch.allclose(total, loss, rtol=0, atol=1e-12)
    for ours, packed in zip(torch.autograd.grad(total, list(variables.values())), gradients.values()):
        assert torch.allclose(ours, packed, rtol=0, atol=1e-12)


class Model(nn.Module):
    def __init__(self, rnn, vocabulary=11, classes=6):
        super().__init__()
        self.encoder = nn.Embedding(vocabulary, E)
        self.rnn = rnn
        self.decoder = nn.Linear(H, classes)


def model(name, description, rnn, every_position, batches, classes=6):
    """Mean cross-entropy of a model; several batches continue one another, with
    the state carried over and detached, and the weights as they are."""
    network = Model(rnn, classes=classes)
    state, results = None, []
    for _ in range(batches):
        tokens = torch.randint(11, (T, B))
        targets = torch.randint(classes, (T, B) if every_position else (B,))
        output, state = network.rnn(network.encoder(tokens), state)
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        logits = network.decoder(output if every_position else output[-1])
        losses = nn.functional.cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="none")
        parameters = dict(network.named_parameters())
        gradients = torch.autograd.grad(losses.mean(), list(parameters.values()))
        results.append({
            "tokens": tokens.flatten().tolist(), "targets": targets.flatten().tolist(),
            "logits": encoded(logits), "losses": encoded(losses.reshape(targets.shape)), "loss": losses.mean().item(),
            "gradients": encoded_all(dict(zip(parameters, gradients))),
        })
    write(name, description, {
        "steps": T, "batch": B, "vocabulary": 11, "inputSize": E, "hiddenSize": H, "classes": classes,
        "parameters": encoded_all(parameters), "batches": results,
    })


def main():
    torch.manual_seed(20240607)
    recurrent("rnn_tanh", nn.RNN(E, H))
    recurrent("rnn_relu", nn.RNN(E, H, nonlinearity="relu"))
    recurrent("gru", nn.GRU(E, H))
    recurrent("lstm", nn.LSTM(E, H), folder=LSTM)
    recurrent("gru_two_layers", nn.GRU(E, H, num_layers=2))
    recurrent("gru_lengths", nn.GRU(E, H), lengths=[4, 7, 2])
    architecture = "nn.Embedding(11, 4), {}, nn.Linear(5, {}), {}"
    last, every = "mean cross-entropy of the last output", "mean cross-entropy of every output; two batches, the state carried over"
    model("classify_gru", architecture.format("nn.GRU(4, 5)", 6, last), nn.GRU(E, H), False, 1)
    model("classify_rnn_relu", architecture.format("nn.RNN(4, 5, nonlinearity='relu')", 6, last),
          nn.RNN(E, H, nonlinearity="relu"), False, 1)
    model("language_model_gru", architecture.format("nn.GRU(4, 5)", 11, every), nn.GRU(E, H), True, 2, classes=11)


if __name__ == "__main__":
    main()
