"""Loads into PyTorch a language model that `cli train --output RUN` wrote, and
prints its perplexity, which agrees with that of `cli evaluate RUN`.

    pip install torch numpy safetensors
    python load.py RUN                          # the corpus that the run names
    python load.py RUN --data DIR --split valid --json
    python load.py RUN --save state_dict.safetensors

RNN, uRNN, GRU, uGRU and LSTM become nn.RNN, nn.GRU or nn.LSTM: an orthogonal matrix is an ordinary
weight. What torch doesn't have, such as |x| or a reset gate before the product, runs in
a loop over time (`Loop`). In a program of your own:

    model, words = load("runs/gru")
    scores, state = model(torch.tensor([[words.index("the")]]))   # [T, B] to [T, B, V]
"""

import argparse
import json
import math
import os
import pathlib
import sys
import time

try:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file
except ImportError as error:
    sys.exit(f"{error.name} isn't installed: pip install torch numpy safetensors")
from torch import nn


# The activations with a learned number per unit, and its name.
UNIT_PARAMETERS = {"modrelu": "modrelu_bias", "prelu": "prelu_slope", "snake": "snake_frequency"}


class LanguageModel(nn.Module):
    """Embedding, recurrent layers and a linear projection, as in word_language_model."""

    def __init__(self, vocabulary, embedding, recurrent, hidden, is_tied):
        super().__init__()
        self.encoder = nn.Embedding(vocabulary, embedding)
        self.rnn = recurrent
        self.decoder = nn.Linear(hidden, vocabulary)
        if is_tied:
            self.decoder.weight = self.encoder.weight

    def forward(self, tokens, state=None):
        """Maps tokens [T, B] to scores [T, B, V] and the state for the next batch."""
        output, state = self.rnn(self.encoder(tokens), state)
        return self.decoder(output), state


class Loop(nn.Module):
    """An RNN or GRU for whose equations torch has no module, with torch's parameter names."""

    def __init__(self, config, embedding, hidden, layers):
        super().__init__()
        self.gates = 3 if config["cell"].endswith("gru") else 1
        self.layers = layers
        self.hidden = hidden
        self.reset_before = config.get("resetGate") == "before"
        self.activation = config["activation"]
        self.slope = config.get("slope")
        self.zoneout = config.get("zoneout", 0)
        for layer in range(layers):
            shapes = {
                "weight_ih": (self.gates * hidden, hidden if layer else embedding),
                "weight_hh": (self.gates * hidden, hidden),
                "bias_ih": (self.gates * hidden,),
                "bias_hh": (self.gates * hidden,),
            }
            if self.activation in UNIT_PARAMETERS:
                shapes[UNIT_PARAMETERS[self.activation]] = (hidden,)
            for name, shape in shapes.items():
                self.register_parameter(f"{name}_l{layer}", nn.Parameter(torch.zeros(shape)))

    def activate(self, x, layer):
        if self.activation in UNIT_PARAMETERS:
            own = getattr(self, f"{UNIT_PARAMETERS[self.activation]}_l{layer}")
        match self.activation:
            case "identity": return x
            case "abs": return x.abs()
            case "relu": return x.relu()
            case "leaky-relu": return nn.functional.leaky_relu(x, self.slope)
            case "tanh": return x.tanh()
            case "sigmoid": return x.sigmoid()
            case "softsign": return nn.functional.softsign(x)
            case "gelu": return nn.functional.gelu(x)
            case "silu": return nn.functional.silu(x)
            case "modrelu": return x.sign() * (x.abs() + own).relu()
            case "prelu": return torch.where(x > 0, x, own * x)
            case "snake": return x + (own * x).sin() ** 2 / own

    def step(self, x, h, layer):
        """One step of one layer; x is already the input's product with its weight, plus the bias."""
        weight, bias = getattr(self, f"weight_hh_l{layer}"), getattr(self, f"bias_hh_l{layer}")
        if self.gates == 1:
            return self.activate(x + h @ weight.T + bias, layer)
        xr, xz, xn = x.chunk(3, -1)
        wr, wz, wn = weight.chunk(3)
        br, bz, bn = bias.chunk(3)
        r = (xr + h @ wr.T + br).sigmoid()
        z = (xz + h @ wz.T + bz).sigmoid()
        memory = (r * h) @ wn.T + bn if self.reset_before else r * (h @ wn.T + bn)
        return (1 - z) * self.activate(xn + memory, layer) + z * h

    def forward(self, values, state=None):
        if state is None:
            state = values.new_zeros(self.layers, values.shape[1], self.hidden)
        finals = []
        for layer in range(self.layers):
            inputs = values @ getattr(self, f"weight_ih_l{layer}").T + getattr(self, f"bias_ih_l{layer}")
            h, outputs = state[layer], []
            for x in inputs:
                # Zoneout at its mean: units kept their old values at this rate in training.
                h = self.zoneout * h + (1 - self.zoneout) * self.step(x, h, layer)
                outputs.append(h)
            values = torch.stack(outputs)
            finals.append(h)
        return values, torch.stack(finals)


def read_config(path):
    """Returns every option of a run by its name, and the names of its plug-ins by their kinds."""
    config = json.loads(path.read_text())
    if config["version"] == 1:
        return config
    # Version 2 has one object for each plug-in, with its name and options, and one for each section.
    options = {}
    for section in ["model", "training"]:
        options |= config[section]
    cell = config["cell"]
    for kind, plugin in [("cell", cell), ("activation", cell.get("activation")), ("dataset", config["dataset"])]:
        options |= {kind: None} if plugin is None else {**plugin, kind: plugin["name"]}
    return options


def load(run):
    """Returns the model of a run, ready for evaluation, and its words in the order of their ids."""
    run = pathlib.Path(run)
    for name in ["config.json", "model.safetensors", "vocabulary.txt"]:
        if not (run / name).is_file():
            sys.exit(f"{run}: there is no {name}; name the folder of a language model that `cli train --output` wrote")
    try:
        config = read_config(run / "config.json")
        tensors = load_file(run / "model.safetensors")
    except (ValueError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        sys.exit(f"{run}: config.json or model.safetensors is damaged: {error}")
    # Split at line feeds only: splitlines() would also split words at other characters.
    words = (run / "vocabulary.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    cell, activation = config["cell"], config.get("activation")
    embedding, hidden, layers = config["embeddingSize"], config["hiddenSize"], config["layers"]
    is_plain = not config.get("zoneout")
    if is_plain and cell.endswith("gru") and activation == "tanh" and config.get("resetGate", "after") == "after":
        recurrent = nn.GRU(embedding, hidden, layers)
    elif is_plain and cell == "lstm" and activation == "tanh":
        recurrent = nn.LSTM(embedding, hidden, layers)
    elif is_plain and cell in ("rnn", "urnn") and activation in ("relu", "tanh"):
        recurrent = nn.RNN(embedding, hidden, layers, nonlinearity=activation)
    elif cell in ("rnn", "urnn", "gru", "ugru") and activation in (
        "identity", "abs", "relu", "leaky-relu", "tanh", "sigmoid", "softsign", "gelu", "silu", *UNIT_PARAMETERS
    ):
        recurrent = Loop(config, embedding, hidden, layers)
    else:
        sys.exit(f"{run}: neither torch nor this script has a cell '{cell}' with the activation '{activation}'")
    is_tied = ("decoder.weight" in tensors) != ("encoder.weight" in tensors)
    model = LanguageModel(len(words), embedding, recurrent, hidden, is_tied)
    if is_tied:
        shared = tensors.get("encoder.weight", tensors.get("decoder.weight"))
        tensors["encoder.weight"] = tensors["decoder.weight"] = shared
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        sys.exit(f"{run}: the weights don't fit config.json: {' '.join(str(error).split())}")
    return model.eval(), words


def read_tokens(directory, split, words, by_characters=False):
    """Returns a corpus's token ids, each line ending in <eos>; by characters, _ separates words."""
    for name in [f"ptb.{split}.txt", f"{split}.txt"]:
        path = pathlib.Path(directory) / name
        if path.exists():
            break
    else:
        sys.exit(f"{directory}: there is no ptb.{split}.txt or {split}.txt")
    ids = {word: index for index, word in enumerate(words)}
    # Lines and words are split as bytes: str would also split at characters that aren't ASCII blanks.
    with path.open("rb") as file:
        lines = [line.split() for line in file]
    try:
        if by_characters:
            tokens = [token for line in lines for token in [*b"_".join(line).decode(), "<eos>"]]
        else:
            tokens = [word.decode() for line in lines for word in [*line, b"<eos>"]]
    except UnicodeDecodeError as error:
        sys.exit(f"{path}: not UTF-8 text ({error})")
    unknown = next((word for word in tokens if word not in ids), None)
    if unknown is not None and "<unk>" not in ids:
        sys.exit(f"{path}: the model doesn't know '{unknown}', and has no <unk> to stand for it")
    return torch.tensor([ids[word] if word in ids else ids["<unk>"] for word in tokens])


@torch.no_grad()
def evaluate(model, tokens, streams, bptt=35):
    """Returns the loss in nats per token and the number of predictions. As in `cli evaluate`,
    the text is split into equal streams, and states are carried from batch to batch."""
    length = len(tokens) // streams
    if length < 2:
        sys.exit(f"{len(tokens)} tokens are too few for {streams} streams")
    data = tokens[: length * streams].view(streams, length).t().contiguous()
    total, count, state = 0.0, 0, None
    for start in range(0, length - 1, bptt):
        inputs, targets = data[start : min(start + bptt, length - 1)], data[start + 1 : start + 1 + bptt].flatten()
        scores, state = model(inputs, state)
        total += nn.functional.cross_entropy(scores.flatten(0, 1), targets, reduction="sum").item()
        count += len(targets)
    return total / count, count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="the folder that `cli train --output` wrote")
    parser.add_argument("--data", help="the corpus (default: the one that the run names, then $PTB_DIR)")
    parser.add_argument("--split", choices=["train", "valid", "test"], default="test")
    parser.add_argument("--save", metavar="FILE", help="write the state dict as safetensors and stop")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    model, words = load(options.run)
    if options.save:
        state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
        if model.decoder.weight is model.encoder.weight:
            del state["decoder.weight"]
        save_file(state, options.save)
        return
    config = read_config(pathlib.Path(options.run) / "config.json")
    data = options.data or config.get("data") or os.environ.get("PTB_DIR")
    if not data:
        parser.error("no corpus; give --data DIR or set PTB_DIR")
    tokens = read_tokens(data, options.split, words, config["dataset"] == "ptb-char")
    start = time.perf_counter()
    loss, count = evaluate(model, tokens, config.get("evaluationBatchSize") or config["batchSize"])
    seconds = time.perf_counter() - start
    if options.json:
        print(json.dumps({
            "split": options.split, "loss": loss, "perplexity": math.exp(loss), "count": count, "seconds": seconds,
            "tokensPerSecond": count / seconds, "module": type(model.rnn).__name__}, indent=1))
    else:
        print(f"{options.split}: loss {loss:.4f}  perplexity {math.exp(loss):.2f}  ({count} tokens, {seconds:.1f} s, "
              f"{count / seconds:.0f} tokens/s, {type(model.rnn).__name__})")


if __name__ == "__main__":
    main()
