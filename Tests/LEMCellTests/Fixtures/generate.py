"""Writes the fixtures beside this file: long expressive memory in PyTorch, written from Rusch,
Mishra, Erichson & Mahoney 2022, Equation 3, with two time steps Δt.

    pip install torch numpy && python generate.py
"""

import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "RecurrentCoreTests/Fixtures"))
from generate import E, H, cell  # noqa: E402

# Each holds the parts with the paper's indices 1, 2, z and y.
SHAPES = {"weight_ih_l0": (4 * H, E), "weight_hh_l0": (4 * H, H), "bias_ih_l0": (4 * H,)}


def memory(dt):
    def gate(x):
        """The paper's σ̂."""
        return 0.5 * (1 + torch.tanh(x / 2))

    def step(u, states, parameters):
        y, z = states["y"], states["z"]
        w1, w2, wz, wy = parameters["weight_hh_l0"].chunk(4)
        v1, v2, vz, vy = (u @ v.T for v in parameters["weight_ih_l0"].chunk(4))
        b1, b2, bz, by = parameters["bias_ih_l0"].chunk(4)
        dt1 = dt * gate(y @ w1.T + v1 + b1)
        dt2 = dt * gate(y @ w2.T + v2 + b2)
        z = (1 - dt1) * z + dt1 * torch.tanh(y @ wz.T + vz + bz)
        y = (1 - dt2) * y + dt2 * torch.tanh(z @ wy.T + vy + by)
        return {"y": y, "z": z}

    return step


for name, dt in [("lem", 1), ("lem_slow", 0.21)]:
    cell(name, f"LEM, Δt {dt}", HERE, SHAPES, ["y", "z"], memory(dt))
