"""Writes the fixtures beside this file: the non-normal RNN in PyTorch, written from Kerg et al. 2019,
Section 3, with V = P Θ Pᵀ.

    pip install torch numpy && python generate.py

P needn't be orthogonal for the equations and their gradients, and isn't here. What is above the blocks in
theta counts for nothing.
"""

import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "RecurrentCoreTests/Fixtures"))
from generate import E, H, cell  # noqa: E402

SHAPES = {"weight_ih_l0": (H, E), "weight_hh_l0": (H, H), "theta_l0": (H, H), "bias_ih_l0": (H,)}
PAIR = torch.arange(H) // 2
PRESENT = (PAIR[None, :] <= PAIR[:, None]).double()


def network(activation, shapes):
    def step(x, states, p):
        weight = p["weight_hh_l0"] @ (p["theta_l0"] * PRESENT) @ p["weight_hh_l0"].T
        z = x @ p["weight_ih_l0"].T + states["h"] @ weight.T + p["bias_ih_l0"]
        return {"h": activation(z, p)}

    return SHAPES | shapes, ["h"], step


def modrelu(z, p):
    return torch.sign(z) * torch.relu(z.abs() + p["modrelu_bias_l0"])


cell("nnrnn", "nnRNN, modReLU", HERE, *network(modrelu, {"modrelu_bias_l0": (H,)}))
cell("nnrnn_tanh", "nnRNN, tanh", HERE, *network(lambda z, p: torch.tanh(z), {}))
