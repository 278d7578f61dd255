"""Times the workloads of `cli benchmark` in PyTorch, under the same names.

    python benchmark.py                                  # the toy tasks and exponentials
    python benchmark.py --workload lm-gru-t35 --json
    python benchmark.py --all --threads 2 --seconds 3
    python benchmark.py --device cuda --tf32 --workload lm-gru-t35

Workloads: toy-CELL-nN, lm-CELL-tT, evaluate-CELL-bN, generate-CELL, serve-CELL-bN (CELL: rnn, urnn,
gru, ugru, lstm, cornn, lem, mingru, lru, nnrnn, complex-urnn) and exp-nN, which gives a second row
for eigh. lm-CELL-hH-tT has H units instead of 200.
In toy- and lm-, CELL may also be urnn-abs, the uRNN with |x|, which nn.RNN doesn't support, as a
time loop in Python; rnn-tanh, nn.RNN with its default activation; lstm-loop, an LSTM as a time loop
in Python, as cornn, lem, mingru, lru, nnrnn and complex-urnn are; and mingru-scan, which computes all
steps at once in log-space. generate-CELL is one token of text, serve-CELL-bN the scores of the next
token of N texts, evaluate-CELL-bN the loss on 35 words of each of N texts.
A training step is forward, backward, Adam and, for urnn, ugru, nnrnn and complex-urnn, the paper's update
with torch.linalg.matrix_exp. Rounds go through all workloads in turn, so that noise affects all of
them alike. On a GPU each step is started from Python and waited for, without CUDA graphs, as
a user would do it.
"""

import argparse
import json
import os
import re
import statistics
import sys
import time

try:
    import torch
except ImportError:
    sys.exit("PyTorch isn't installed: pip install torch")

from models import CELLS, CUSTOM_CELLS, Network, Training, use_device

DEFAULT = [f"toy-{cell}-n{n}" for cell in CELLS for n in (20, 100, 400)] + [f"exp-n{n}" for n in (50, 200, 512, 1024)]
LANGUAGE_MODELS = [f"lm-{cell}-t{t}" for cell in CELLS for t in (35, 150)] + [f"generate-{cell}" for cell in CELLS]


def training_step(cell, steps, batch, embedding, hidden, classes, every_position):
    network = Network(cell, classes, embedding, hidden, classes, every_position, dropout=0.2)
    training = Training(cell, network, 1e-4, clip_recurrent=0.25 if every_position else None)
    tokens = torch.randint(classes, (steps, batch))
    targets = torch.randint(classes, (steps * batch if every_position else batch,))
    return lambda: training.step(tokens, targets)


def generation_step(cell):
    """Draws one token, as word_language_model's generate.py does."""
    network = Network(cell, 10_000, 400, 200, 10_000, every_position=True, dropout=0.2).eval()
    token, state = torch.zeros(1, 1, dtype=torch.long), None

    @torch.no_grad()
    def step():
        nonlocal state
        logits, state = network(token, state)
        token.fill_(torch.multinomial(logits.squeeze().exp(), 1)[0])

    return step


def serving_step(cell, streams):
    """Computes the scores of the next tokens of several streams, of which a choice depends on them."""
    network = Network(cell, 10_000, 400, 200, 10_000, every_position=True, dropout=0.2).eval()
    tokens, state = torch.arange(streams)[None] * 7919 % 10_000, None

    @torch.no_grad()
    def step():
        nonlocal state
        logits, state = network(tokens, state)
        tokens.copy_((tokens + torch.where(logits.view(1, streams, -1)[..., 0] > 0, 1, 3)) % 10_000)

    return step


def evaluation_step(cell, streams):
    """Computes the loss on 35 words of each of several streams, and reads it."""
    network = Network(cell, 10_000, 400, 200, 10_000, every_position=True, dropout=0.2).eval()
    tokens, targets, state = torch.randint(10_000, (35, streams)), torch.randint(10_000, (35 * streams,)), None

    @torch.no_grad()
    def step():
        nonlocal state
        logits, state = network(tokens, state)
        torch.nn.functional.cross_entropy(logits.view(len(targets), -1), targets).item()

    return step


def random_skew(n):
    """Returns a skew matrix of independent entries, with a norm of about 3."""
    lower = torch.tril(torch.randn(n, n) * 1.5 / n**0.5, -1)
    return lower - lower.T


def eigh_exponential(skew):
    """Computes exp(B) from the eigenvalues of the Hermitian iB, as the paper does."""
    values, vectors = torch.linalg.eigh(1j * skew)
    return ((vectors * torch.exp(-1j * values)) @ vectors.conj().T).real


def make(name):
    """Returns pairs of a name and a function that takes one step."""
    if match := re.fullmatch(rf"toy-({'|'.join(CELLS + CUSTOM_CELLS)})-n([1-9]\d*)", name):
        return [(name, training_step(match[1], int(match[2]), 100, 30, 50, 10, every_position=False))]
    if match := re.fullmatch(rf"lm-({'|'.join(CELLS + CUSTOM_CELLS)})(?:-h([1-9]\d*))?-t([1-9]\d*)", name):
        return [(name, training_step(match[1], int(match[3]), 80, 400, int(match[2] or 200), 10_000, every_position=True))]
    if match := re.fullmatch(rf"generate-({'|'.join(CELLS)})", name):
        return [(name, generation_step(match[1]))]
    if match := re.fullmatch(rf"(serve|evaluate)-({'|'.join(CELLS)})-b([1-9]\d*)", name):
        make_step = serving_step if match[1] == "serve" else evaluation_step
        return [(name, make_step(match[2], int(match[3])))]
    if match := re.fullmatch(r"exp-n([1-9]\d*)", name):
        skew = random_skew(int(match[1]))
        return [(name, lambda: torch.linalg.matrix_exp(skew)), (f"{name}-eigh", lambda: eigh_exponential(skew))]
    sys.exit(f"unknown workload '{name}'; there are: {', '.join(DEFAULT + LANGUAGE_MODELS)}")


def timed(function):
    start = time.perf_counter()
    function()
    if torch.get_default_device().type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def gemm_seconds():
    size = 1024
    a, b, c = torch.full((size, size), 0.5), torch.full((size, size), 0.25), torch.empty(size, size)
    return [timed(lambda: torch.mm(a, b, out=c)) for _ in range(3)]


def measure(workloads, seconds):
    counts = []
    # cuDNN and the GPU's clocks take longer to settle.
    warm_up = 10 if torch.get_default_device().type == "cuda" else 2
    for _, step in workloads:
        for _ in range(warm_up):
            step()
        counts.append(max(5, int(seconds / max(timed(step), 1e-6))))
    times, products, rounds = [[] for _ in workloads], [], min(20, max(counts))
    gemm_seconds()
    for turn in range(rounds):
        products += gemm_seconds()
        for (_, step), count, result in zip(workloads, counts, times):
            share = count * (turn + 1) // rounds - count * turn // rounds
            # The first step after another workload has cold caches.
            if share > 2:
                step()
            result += [timed(step) for _ in range(share)]
    gigaflops = 2 * 1024**3 / statistics.median(products) / 1e9
    return [statistics.median(result) * 1e3 for result in times], [len(result) for result in times], gigaflops


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", action="append", help="time only this one; may be repeated")
    parser.add_argument("--all", action="store_true", help="time the language models too")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="number of threads (default: one per processor)")
    parser.add_argument("--seconds", type=float, default=1, help="approximate time for each workload (default: 1)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--tf32", action="store_true", help="round factors to TF32 on a GPU, including cuDNN's (default: true FP32)")
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    options = parser.parse_args()
    if options.threads < 1 or options.seconds <= 0:
        parser.error("--threads must be at least 1 and --seconds above 0")
    torch.set_num_threads(options.threads)
    use_device(options.device, options.tf32)
    torch.manual_seed(1)
    names = options.workload or DEFAULT + (LANGUAGE_MODELS if options.all else [])
    workloads = [pair for name in names for pair in make(name)]
    medians, counts, gigaflops = measure(workloads, options.seconds)
    if options.json:
        print(json.dumps([
            {"workload": name, "medianMilliseconds": median, "gemmGigaflops": gigaflops, "steps": count}
            for (name, _), median, count in zip(workloads, medians, counts)], indent=1))
        return
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; "
          f"GEMM, 1024 x 1024 x 1024: {gigaflops:.1f} GFLOP/s (median of this run)")
    width = max(len(name) for name, _ in workloads)
    print(f"{'workload':<{width}}  median ms  steps")
    for (name, _), median, count in zip(workloads, medians, counts):
        print(f"{name:<{width}}  {median:9.3f}  {count:5}")


if __name__ == "__main__":
    main()
