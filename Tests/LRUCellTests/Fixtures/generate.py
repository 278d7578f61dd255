"""Writes the fixture beside this file: the linear recurrent unit in PyTorch's complex numbers,
written from Orvieto et al. 2023, Sections 3 and 4; its steps must agree with the sum
s_t = λᵗ s_0 + Σ_k λᵏ γ B x_{t−k}. D is a matrix here, since inputs and outputs differ in width.

    pip install torch numpy && python generate.py
"""

import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "RecurrentCoreTests/Fixtures"))
from generate import E, H, T, cell  # noqa: E402

# weight_ih holds the parts of B, then D; weight_hh those of C.
SHAPES = {
    "weight_ih_l0": (3 * H, E), "weight_hh_l0": (2 * H, H), "nu_log_l0": (H,), "theta_log_l0": (H,),
    "gamma_log_l0": (H,),
}


def matrices(parameters):
    b_re, b_im, d = parameters["weight_ih_l0"].chunk(3)
    c_re, c_im = parameters["weight_hh_l0"].chunk(2)
    eigenvalues = torch.exp(torch.complex(-parameters["nu_log_l0"].exp(), parameters["theta_log_l0"].exp()))
    return eigenvalues, torch.exp(parameters["gamma_log_l0"]), torch.complex(b_re, b_im), torch.complex(c_re, c_im), d


def step(x, states, parameters):
    eigenvalues, gamma, b, c, d = matrices(parameters)
    state = torch.complex(states["re"], states["im"])
    state = eigenvalues * state + gamma * (x.to(b.dtype) @ b.T)
    return {"h": (state @ c.T).real + x @ d.T, "re": state.real, "im": state.imag}


def agrees_with_sum(parameters, inputs, outputs):
    eigenvalues, gamma, b, c, d = matrices(parameters)
    driven = gamma * (inputs["input"].to(b.dtype) @ b.T)
    initial = torch.complex(inputs["re_0"][0], inputs["im_0"][0])
    for t in range(T):
        state = eigenvalues ** (t + 1) * initial + sum(eigenvalues**k * driven[t - k] for k in range(t + 1))
        expected = (state @ c.T).real + inputs["input"][t] @ d.T
        assert torch.allclose(outputs["output"][t], expected, rtol=0, atol=1e-11)


cell("lru", "LRU", HERE, SHAPES, ["h", "re", "im"], step, check=agrees_with_sum)
