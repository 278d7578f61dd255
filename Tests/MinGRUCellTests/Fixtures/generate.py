"""Writes the fixtures beside this file: the minimal GRU in PyTorch, written from Feng et al. 2024,
Section 3.1; with a positive candidate, its steps must agree with the paper's scan in log-space
(Appendix B), which computes all of them at once.

    pip install torch numpy && python generate.py
"""

import pathlib
import sys

import torch
from torch.nn.functional import logsigmoid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "RecurrentCoreTests/Fixtures"))
from generate import E, H, cell  # noqa: E402

# Each holds the gate's part, then the candidate's.
SHAPES = {"weight_ih_l0": (2 * H, E), "bias_ih_l0": (2 * H,)}


def linear(x, parameters):
    return (x @ parameters["weight_ih_l0"].T + parameters["bias_ih_l0"]).chunk(2, dim=-1)


def positive(x):
    return torch.where(x >= 0, x + 0.5, torch.sigmoid(x))


def minimal(candidate):
    def step(x, states, parameters):
        gate, value = linear(x, parameters)
        z = torch.sigmoid(gate)
        return {"h": (1 - z) * states["h"] + z * candidate(value)}

    return step


def agrees_with_scan(parameters, inputs, outputs):
    gate, value = linear(inputs["input"], parameters)
    kept = logsigmoid(-gate).cumsum(dim=0)
    parts = torch.cat([inputs["h_0"].log(), logsigmoid(gate) + positive(value).log() - kept])
    scan = (kept + parts.logcumsumexp(dim=0)[1:]).exp()
    assert torch.allclose(scan, outputs["output"], rtol=1e-12, atol=0)


cell("mingru", "minGRU", HERE, SHAPES, ["h"], minimal(lambda x: x))
cell("mingru_positive", "minGRU, positive candidate", HERE, SHAPES, ["h"], minimal(positive),
     initial=torch.rand, check=agrees_with_scan)
