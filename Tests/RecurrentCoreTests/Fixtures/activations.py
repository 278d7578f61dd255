"""Writes activations.json: values and derivatives of activations, in float64.

    pip install torch && python activations.py

The committed file came from torch 2.13.0.
"""
import json
import pathlib

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
X = [-30.0, -4.5, -2.0, -1.0, -0.3, -1e-3, 1e-3, 0.3, 1.0, 2.0, 4.5, 30.0]
FUNCTIONS = {
    "softsign": (lambda x, _: F.softsign(x), [None]),
    "gelu": (lambda x, _: F.gelu(x), [None]),
    "silu": (lambda x, _: F.silu(x), [None]),
    "prelu": (lambda x, a: F.prelu(x[None], a)[0], [0.25, 2.0, -0.5]),
    # The paper's equation; torch has no such function.
    "snake": (lambda x, a: x + torch.sin(a * x) ** 2 / a, [1.0, 0.3, -5.0]),
}

cases = {}
for name, (function, parameters) in FUNCTIONS.items():
    cases[name] = []
    for parameter in parameters:
        x = torch.tensor(X, requires_grad=True)
        # One parameter for each argument, so that their derivatives don't add up.
        a = None if parameter is None else torch.full_like(x, parameter).requires_grad_()
        value = function(x, a)
        gradients = torch.autograd.grad(value.sum(), [x] if a is None else [x, a])
        case = {"x": X, "value": value.tolist(), "slope": gradients[0].tolist()}
        if a is not None:
            case |= {"parameter": parameter, "parameterSlope": gradients[1].tolist()}
        cases[name].append(case)

path = pathlib.Path(__file__).with_name("activations.json")
path.write_text(json.dumps(cases, indent=1) + "\n")
