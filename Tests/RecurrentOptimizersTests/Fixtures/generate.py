"""Writes optimizers.json: parameters after each step of torch.optim's optimizers.

pip install torch; python generate.py
"""
import json
import pathlib

import torch

STEPS = 25
PARAMETERS = torch.tensor([1.5, -0.75, 0.0, 3.0, -2.0, 0.25], dtype=torch.float64)


def gradients():
    """One row a step. The columns: ordinary, growing, often zero, huge, tiny, constant."""
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(STEPS, 6, generator=generator, dtype=torch.float64)
    rows[:, 1] *= torch.arange(1, STEPS + 1, dtype=torch.float64)
    rows[:, 2] *= (torch.arange(STEPS) % 3 == 0).double()
    rows[:, 3] *= 1e4
    rows[:, 4] *= 1e-7
    rows[:, 5] = 0.5
    # Few digits, so that Float holds the same numbers.
    return rows.float().double()


def run(make, rate):
    parameter = PARAMETERS.clone().requires_grad_()
    optimizer = make([parameter], rate)
    after = []
    for row in gradients():
        parameter.grad = row.clone()
        optimizer.step()
        after.append(parameter.tolist())
    return after


def case(name, options, rate, make):
    return {"optimizer": name, "options": options, "rate": rate, "parameters": run(make, rate)}


def sgd(rate, momentum=0.0, nesterov=False):
    return case("sgd", {"momentum": momentum, "nesterov": float(nesterov)}, rate, lambda p, lr: torch.optim.SGD(
        p, lr=lr, momentum=momentum, nesterov=nesterov))


def rmsprop(rate, decay=0.99, epsilon=1e-8):
    return case("rmsprop", {"decay": decay, "epsilon": epsilon}, rate, lambda p, lr: torch.optim.RMSprop(
        p, lr=lr, alpha=decay, eps=epsilon))


def adam(rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    return case("adam", {"beta1": beta1, "beta2": beta2, "epsilon": epsilon}, rate, lambda p, lr: torch.optim.Adam(
        p, lr=lr, betas=(beta1, beta2), eps=epsilon))


def adamw(rate, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01):
    return case(
        "adamw", {"beta1": beta1, "beta2": beta2, "epsilon": epsilon, "weightDecay": weight_decay}, rate,
        lambda p, lr: torch.optim.AdamW(p, lr=lr, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay))


CASES = [
    sgd(0.1), sgd(0.01, 0.9), sgd(0.01, 0.9, True), sgd(0.5, 0.5, True),
    rmsprop(0.01), rmsprop(0.1, 0.9, 1e-6), rmsprop(0.001, 0.5, 0.1),
    adam(0.001), adam(0.1), adam(0.01, 0.8, 0.95, 1e-4), adam(0.01, 0.0, 0.9), adam(0.01, 0.9, 0.0, 1e-3),
    adamw(0.001), adamw(0.1, weight_decay=0.5), adamw(0.01, 0.8, 0.95, 1e-4, 0.0),
]
document = {
    "source": f"torch {torch.__version__.split('+')[0]}, float64",
    "start": PARAMETERS.tolist(),
    "gradients": gradients().tolist(),
    "cases": CASES,
}
path = pathlib.Path(__file__).with_name("optimizers.json")
path.write_text(json.dumps(document) + "\n")
print(path.name, path.stat().st_size, "bytes")
