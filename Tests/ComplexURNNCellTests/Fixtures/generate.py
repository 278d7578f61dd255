"""Writes the fixture beside this file: a uRNN of complex numbers in PyTorch, written from Arjovsky,
Shah & Bengio 2016, Equations 6 and 8, with torch's complex arithmetic.

    pip install torch numpy && python generate.py
"""

import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "RecurrentCoreTests/Fixtures"))
from generate import E, H, cell  # noqa: E402

# The real parts, and then the imaginary ones.
SHAPES = {"weight_ih_l0": (2 * H, E), "weight_hh_l0": (2 * H, H), "bias_ih_l0": (2 * H,), "modrelu_bias_l0": (H,)}


def number(parts):
    return torch.complex(*parts.chunk(2))


def step(x, states, parameters):
    h = torch.complex(states["re"], states["im"])
    z = x.to(h.dtype) @ number(parameters["weight_ih_l0"]).T + h @ number(parameters["weight_hh_l0"]).T
    z = z + number(parameters["bias_ih_l0"])
    h = torch.polar(torch.relu(z.abs() + parameters["modrelu_bias_l0"]), z.angle())
    return {"re": h.real, "im": h.imag}


def some_units_are_off(parameters, inputs, outputs):
    assert 0.02 < (outputs["output"] == 0).double().mean() < 0.5


cell("complex_urnn", "complex uRNN, modReLU", HERE, SHAPES, ["re", "im"], step, check=some_units_are_off, output_count=2)
