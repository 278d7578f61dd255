"""Times FlashRNN's kernels (pip install flashrnn) in a training step of the language model.

    python flashrnn_benchmark.py                 # elman and gru at 256 units, bfloat16 and float32
    python flashrnn_benchmark.py --cell gru --precision bfloat16
    python flashrnn_benchmark.py --start-when FILE  # compiles the kernels, which takes minutes, and waits for the file
    python flashrnn_benchmark.py --packages DIR     # the folder of flashrnn and einops, if not in this environment

The model is benchmark.py's, with FlashRNN in place of nn.RNN (with tanh, which its elman
has) or nn.GRU; rows have the same names, such as `lm-gru-h256-t35`, with the precision of
the recurrence. FlashRNN has a fused kernel only for elman; its gru alternates products and
pointwise kernels. Its float32 products round to TF32. Each kernel is compared with nn.RNN or
nn.GRU before it is timed. The script needs a GPU and nvcc.
"""

import argparse
import glob
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import types

try:
    import torch
except ImportError:
    sys.exit("PyTorch isn't installed: pip install torch")
from torch import nn

from benchmark import measure
from models import Network, Training, use_device

FUNCTIONS = {"rnn-tanh": "elman", "gru": "gru"}
# The largest accepted relative errors, compared with cuDNN in FP32.
TOLERANCES = {"bfloat16": 3e-2, "float32": 3e-3}


class FlashRecurrence(nn.Module):
    """nn.RNN with tanh, or nn.GRU, with FlashRNN's recurrence; the weights are in torch's order."""

    def __init__(self, kernel, cell, inputs, hidden, dtype):
        super().__init__()
        self.kernel, self.function, self.dtype, self.hidden = kernel, FUNCTIONS[cell], dtype, hidden
        other = nn.GRU(inputs, hidden) if cell == "gru" else nn.RNN(inputs, hidden)
        for name in ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]:
            setattr(self, name, nn.Parameter(getattr(other, name).detach().clone()))

    def forward(self, inputs, state=None):
        steps, batch, hidden = inputs.shape[0], inputs.shape[1], self.hidden
        # FlashRNN's order of gates: n, r, z for the recurrence; r, z, n for the input; n of the recurrence, r, z, n for biases.
        projected = nn.functional.linear(inputs, self.weight_ih_l0).view(steps, batch, -1, 1, hidden).transpose(0, 1)
        recurrent, a, b = self.weight_hh_l0.view(-1, 1, hidden, hidden), self.bias_ih_l0.view(-1, 1, hidden), self.bias_hh_l0.view(-1, 1, hidden)
        if self.function == "gru":
            recurrent, bias = recurrent[[2, 0, 1]], torch.stack([b[2], a[0] + b[0], a[1] + b[1], a[2]])
        else:
            bias = a + b
        states = None if state is None else state.view(1, batch, 1, 1, hidden)
        kind = getattr(torch, self.dtype)
        outputs, last = self.kernel(
            projected.to(kind), recurrent.to(kind), bias.to(kind), states=None if states is None else states.to(kind),
            function=self.function, dtype=self.dtype)
        # [state, B, T, head, H]
        return outputs[0, :, :, 0].transpose(0, 1).float(), last[0, :, 0, 0].float()[None]


def load(packages):
    """Imports flashrnn.flashrnn, without dependencies that aren't needed here."""
    if packages:
        sys.path.append(packages)
    find_cublas()
    try:
        # The package's name is hidden by its function.
        start, library = (importlib.import_module(f"flashrnn.flashrnn.{name}") for name in ["cuda_init", "flashrnn"])
    except ImportError as error:
        sys.exit(f"FlashRNN can't be used ({error}): pip install flashrnn")
    # FlashRNN waits up to ten seconds before each compilation, for other processes.
    start.time = types.SimpleNamespace(sleep=lambda seconds: None)
    # What it compiles a program for, torch knows.
    library.get_gpu_info = device_properties
    return library.flashrnn


def device_properties(device_id):
    properties = torch.cuda.get_device_properties(device_id)
    return {
        "maxThreadsPerBlock": 1024, "regsPerMultiprocessor": getattr(properties, "regs_per_multiprocessor", 65536),
        "multiProcessorCount": properties.multi_processor_count,
        "sharedMemPerBlockOptin": getattr(properties, "shared_memory_per_block_optin", 166912)}


def find_cublas():
    """Links libcublas.so for the linker, since the wheels have it only with a version number."""
    wheels = os.path.join(os.path.dirname(os.path.dirname(torch.__file__)), "nvidia")
    libraries = glob.glob(f"{wheels}/*/lib/libcublas.so.*")
    if libraries:
        folder = tempfile.mkdtemp()
        os.symlink(sorted(libraries)[-1], f"{folder}/libcublas.so")
        add("LIBRARY_PATH", folder)
    for header in glob.glob(f"{wheels}/*/include/cublas_v2.h"):
        add("CPATH", os.path.dirname(header))


def add(variable, folder):
    os.environ[variable] = ":".join(part for part in [os.environ.get(variable), folder] if part)


def difference(kernel, cell, dtype, width, steps=35, batch=80):
    """Returns the largest relative error of the outputs and gradients, compared with torch's module."""
    torch.manual_seed(1)
    ours = FlashRecurrence(kernel, cell, 40, width, dtype)
    theirs = nn.GRU(40, width) if cell == "gru" else nn.RNN(40, width)
    theirs.load_state_dict(ours.state_dict())
    inputs, target = torch.randn(steps, batch, 40), torch.randn(steps, batch, width)
    results = []
    for module in [ours, theirs]:
        outputs, _ = module(inputs)
        (outputs * target).sum().backward()
        results.append([outputs.detach()] + [parameter.grad for _, parameter in sorted(module.named_parameters())])
    return max((a - b).norm().item() / b.norm().item() for a, b in zip(*results))


def training_step(kernel, cell, dtype, width, steps=35, batch=80, vocabulary=10_000):
    network = Network("gru", vocabulary, 400, width, vocabulary, every_position=True, dropout=0.2)
    network.rnn = FlashRecurrence(kernel, cell, 400, width, dtype)
    training = Training(cell, network, 1e-4, clip_recurrent=0.25)
    tokens, targets = torch.randint(vocabulary, (steps, batch)), torch.randint(vocabulary, (steps * batch,))
    return lambda: training.step(tokens, targets)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", action="append", choices=FUNCTIONS, help="may be repeated (default: both)")
    parser.add_argument("--precision", action="append", choices=TOLERANCES, help="may be repeated (default: both)")
    parser.add_argument("--start-when", metavar="FILE", help="wait for this file before anything is timed")
    parser.add_argument("--packages", help="a folder that contains flashrnn and its dependencies")
    parser.add_argument("--hidden-size", type=int, default=256, help="a multiple of 64 (default: 256)")
    parser.add_argument("--seconds", type=float, default=1, help="approximate time for each workload (default: 1)")
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    options = parser.parse_args()
    use_device("cuda", tf32=False)
    kernel = load(options.packages)
    workloads = []
    for dtype in options.precision or TOLERANCES:
        for cell in options.cell or FUNCTIONS:
            name = f"lm-{cell}-h{options.hidden_size}-t35, {dtype}"
            try:
                error = difference(kernel, cell, dtype, options.hidden_size)
            except (RuntimeError, ValueError, AttributeError, AssertionError, subprocess.CalledProcessError) as problem:
                print(f"{name}: {str(problem).strip().splitlines()[-1] if str(problem).strip() else type(problem).__name__}", file=sys.stderr)
                continue
            # NaN isn't below the tolerance.
            good = error < TOLERANCES[dtype]
            print(f"{name}: relative error {error:.1e} against torch's own{'' if good else ', too large: not timed'}", file=sys.stderr, flush=True)
            if good:
                workloads.append((name, training_step(kernel, cell, dtype, options.hidden_size)))
    if not workloads:
        sys.exit("none of FlashRNN's kernels can be timed (above)")
    print("ready", file=sys.stderr, flush=True)
    while options.start_when and not os.path.exists(options.start_when):
        time.sleep(0.1)
    medians, counts, _ = measure(workloads, options.seconds)
    rows = [{"workload": name, "medianMilliseconds": median, "steps": count} for (name, _), median, count in zip(workloads, medians, counts)]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(f"{row['workload']:<36}  {row['medianMilliseconds']:9.3f} ms  {row['steps']:5} steps")


if __name__ == "__main__":
    main()
