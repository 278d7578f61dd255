"""Writes tiny language models of PyTorch, with what they make of a text:

    pip install torch numpy safetensors
    python generate.py

Each NAME.safetensors is a state dict; models.json holds for each the losses that
`cli evaluate` must find and the words that `cli generate --greedy` must write.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "Examples/pytorch"))
from load import LanguageModel, evaluate  # noqa: E402

# In an order of their own; "<pad>" isn't in the text.
WORDS = ["<pad>", "<unk>", "<eos>", "sat", "the", "on", "mat", "cat", "dog", "naïve"]
TEXT = "the cat sat on the mat\nthe naïve dog sat\non the cat sat the dog <unk>\n" * 4
TEST = "the dog sat on the cat\nthe mat sat\na naïve cat on the mat\n" * 3
PROMPT = ["the", "dog"]

MODELS = {
    "gru": nn.GRU(6, 5, 2),
    "gru_tied": nn.GRU(5, 5, bias=False),
    "rnn_tanh": nn.RNN(6, 5),
    "rnn_orthogonal": nn.RNN(6, 5, nonlinearity="relu"),
    "lstm": nn.LSTM(6, 5, 2),
}


@torch.no_grad()
def greedy(model, count):
    scores, state = model(torch.tensor([[WORDS.index(word)] for word in ["<eos>"] + PROMPT]))
    words = []
    for _ in range(count):
        token = scores[-1].argmax(-1, keepdim=True)
        words.append(WORDS[token.item()])
        scores, state = model(token, state)
    return words


def main():
    torch.manual_seed(1)
    words = [word for line in TEST.splitlines() for word in line.split() + ["<eos>"]]
    tokens = torch.tensor([WORDS.index(word if word in WORDS else "<unk>") for word in words])
    result = {"words": WORDS, "train": TEXT, "test": TEST, "prompt": PROMPT, "models": {}}
    for name, recurrent in MODELS.items():
        is_tied = name == "gru_tied"
        model = LanguageModel(len(WORDS), recurrent.input_size, recurrent, 5, is_tied).eval()
        for parameter in model.parameters():
            nn.init.uniform_(parameter, -1, 1)
        if name == "rnn_orthogonal":
            nn.init.orthogonal_(recurrent.weight_hh_l0)
        state = {key: value for key, value in model.state_dict().items() if not (is_tied and key == "decoder.weight")}
        save_file(state, HERE / f"{name}.safetensors")
        double = model.double()
        loss, count = evaluate(double, tokens, 2)
        result["models"][name] = {"loss": loss, "count": count, "greedy": greedy(double, 12)}
    (HERE / "models.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


main()
