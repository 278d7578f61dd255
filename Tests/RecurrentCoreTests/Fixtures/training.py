"""Writes training.json beside this file: learning rates of torch's schedulers,
clipped gradients, and steps with an L2 penalty, in float64.

    pip install torch numpy && python training.py
"""

import json
import pathlib

import torch
from torch.optim import lr_scheduler

torch.set_default_dtype(torch.float64)
torch.manual_seed(5)
LOSSES = [5.0, 4.0, 4.0, 3.9, 3.8999, 3.95, 3.7, 3.8, 3.9, 3.6, 3.7, 3.7, 3.7, 3.7]


def optimizer(rate=0.1):
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)


def rates(make, steps, losses=None):
    """The rate of each epoch (or step), before its update."""
    sgd = optimizer()
    scheduler, result = make(sgd), []
    for index in range(steps):
        result.append(sgd.param_groups[0]["lr"])
        sgd.step()
        scheduler.step(*([losses[index]] if losses else []))
    return result


schedules = {
    "step": rates(lambda o: lr_scheduler.StepLR(o, step_size=3, gamma=0.5), 14),
    "plateau": rates(lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.25, patience=1), 14, LOSSES),
    "impatient": rates(lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.25, patience=0, min_lr=0.001), 14, LOSSES),
    "cosine": rates(lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=14, eta_min=0.01), 14),
    "warmup-cosine": rates(
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o, start_factor=1 / 4, total_iters=3), lr_scheduler.CosineAnnealingLR(o, T_max=10, eta_min=0.01)],
            milestones=[4]),
        14),
}

gradient = torch.randn(10000)
clipped = {}
for bound in [0.5, 1000.0]:
    parameter = torch.zeros(10000, requires_grad=True)
    parameter.grad = gradient.clone()
    norm = torch.nn.utils.clip_grad_norm_([parameter], bound)
    clipped[str(bound)] = {"norm": norm.item(), "first": parameter.grad[:5].tolist(), "last": parameter.grad[-5:].tolist()}

decay = {}
for name, make in {
    "sgd": lambda p: torch.optim.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.3),
    "rmsprop": lambda p: torch.optim.RMSprop([p], lr=0.1, weight_decay=0.3),
    "adam": lambda p: torch.optim.Adam([p], lr=0.1, weight_decay=0.3),
}.items():
    parameter = torch.tensor([1.5, -0.75, 0.0, 3.0], requires_grad=True)
    steps, algorithm = [], make(parameter)
    for index in range(5):
        parameter.grad = torch.tensor([0.1, -0.2, 0.3, 0.0]) * (index + 1)
        algorithm.step()
        steps.append(parameter.tolist())
    decay[name] = steps

path = pathlib.Path(__file__).parent / "training.json"
path.write_text(json.dumps({
    "torch": torch.__version__, "losses": LOSSES, "schedules": schedules, "gradient": gradient.tolist(), "clipped": clipped, "decay": decay,
}) + "\n")
