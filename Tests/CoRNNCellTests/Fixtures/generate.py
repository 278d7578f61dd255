"""Writes the fixtures beside this file: a coupled oscillatory network in PyTorch, written from
Rusch & Mishra 2021, Equation 3, with both choices of the damped velocity.

    pip install torch numpy && python generate.py
"""

import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "RecurrentCoreTests/Fixtures"))
from generate import E, H, cell  # noqa: E402

# weight_hh holds the paper's W, which multiplies the positions, and its 𝒲, which multiplies the velocities.
SHAPES = {"weight_ih_l0": (H, E), "weight_hh_l0": (2 * H, H), "bias_ih_l0": (H,)}


def oscillators(dt, gamma, epsilon, is_implicit):
    def step(u, states, parameters):
        y, z = states["y"], states["z"]
        positions, velocities = parameters["weight_hh_l0"].chunk(2)
        drive = torch.tanh(
            y @ positions.T + z @ velocities.T + u @ parameters["weight_ih_l0"].T + parameters["bias_ih_l0"])
        if is_implicit:
            # z_n = z_{n-1} + Δt (drive − γ y_{n-1} − ε z_n), a linear equation for z_n.
            matrix = torch.eye(H) * (1 + dt * epsilon)
            new = torch.linalg.solve(matrix, (z + dt * (drive - gamma * y)).T).T
            assert torch.allclose(new, z + dt * (drive - gamma * y - epsilon * new), rtol=0, atol=1e-13)
        else:
            new = z + dt * (drive - gamma * y - epsilon * z)
        return {"y": y + dt * new, "z": new}

    return step


for name, dt, gamma, epsilon, is_implicit in [
    ("cornn", 0.042, 2.7, 4.7, False),
    ("cornn_implicit", 0.6, 1.3, 2.1, True),
]:
    cell(name, f"coRNN, Δt {dt}, γ {gamma}, ε {epsilon}, damping {'implicit' if is_implicit else 'explicit'}", HERE,
         SHAPES, ["y", "z"], oscillators(dt, gamma, epsilon, is_implicit))
