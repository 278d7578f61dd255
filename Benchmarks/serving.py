"""Times a step of a language model for many streams here, in PyTorch and in onnxruntime, in turn, and prints tokens per
second and ratios as a Markdown table.

    make build
    pip install torch numpy safetensors onnxruntime
    python Benchmarks/serving.py                       # GRU, E 400, H 200, V 10,000; 1, 8, 64 and 512 streams
    python Benchmarks/serving.py --streams 1 32 --threads 1

A step reads one token of each stream and computes the logits of the next one: embedding, recurrent layer, projection.
PyTorch's nn.GRU and onnxruntime's GRU compute the same model as ours: it is made by PyTorch, imported, and exported to
ONNX. The programs run one after the other, several rounds, and the median round counts. Nothing else should be running
on the machine.
"""

import argparse
import datetime
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import onnxruntime
import torch
from safetensors.torch import save_file

from compare import processor, ROOT

EMBEDDING, HIDDEN, WORDS = 400, 200, 10_000


class Model(torch.nn.Module):
    """PyTorch's word_language_model with nn.GRU."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Embedding(WORDS, EMBEDDING)
        self.rnn = torch.nn.GRU(EMBEDDING, HIDDEN)
        self.decoder = torch.nn.Linear(HIDDEN, WORDS)

    def forward(self, tokens, state):
        output, state = self.rnn(self.encoder(tokens), state)
        return self.decoder(output), state


def call(*command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{command[0]} failed: {result.stderr.strip()}")
    return result.stdout


def median(step, seconds):
    """Returns the median time of a step, which is run for about so many seconds."""
    for _ in range(3):
        step()
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def torch_step(model, streams):
    tokens = torch.randint(WORDS, (1, streams))
    state = torch.zeros(1, streams, HIDDEN)

    @torch.inference_mode()
    def step():
        nonlocal state
        logits, state = model(tokens, state)
        return logits

    return step


def onnx_step(session, streams):
    """Inputs and outputs stay in onnxruntime's own memory, and states are fed back without a copy."""
    value = onnxruntime.OrtValue.ortvalue_from_numpy
    tokens = value(numpy.random.randint(WORDS, size=(1, streams)))
    states = [value(numpy.zeros((1, streams, HIDDEN), numpy.float32)) for _ in range(2)]
    logits = value(numpy.zeros((1, streams, WORDS), numpy.float32))

    def step():
        binding = session.io_binding()
        binding.bind_ortvalue_input("tokens", tokens)
        binding.bind_ortvalue_input("initial_h", states[0])
        binding.bind_ortvalue_output("logits", logits)
        binding.bind_ortvalue_output("final_h", states[1])
        session.run_with_iobinding(binding)
        states.reverse()

    return step


def check(model, session):
    """Both compute the same model."""
    tokens = torch.randint(WORDS, (7, 3))
    with torch.inference_mode():
        expected, _ = model(tokens, torch.zeros(1, 3, HIDDEN))
    found = session.run(["logits"], {"tokens": tokens.numpy(), "initial_h": numpy.zeros((1, 3, HIDDEN), numpy.float32)})
    error = abs(found[0] - expected.numpy()).max() / abs(expected).max().item()
    if error > 1e-5:
        sys.exit(f"the exported model differs from PyTorch's by {error:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8, 64, 512])
    parser.add_argument("--threads", type=int, default=2, help="threads of each program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--cli", default=str(ROOT / ".build/release/cli"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = Model().eval()
    with tempfile.TemporaryDirectory() as folder:
        weights, run, file = (pathlib.Path(folder) / name for name in ("gru.safetensors", "run", "gru.onnx"))
        save_file(model.state_dict(), weights)
        words = pathlib.Path(folder) / "vocabulary.txt"
        words.write_text("<eos>\n" + "".join(f"word{number}\n" for number in range(1, WORDS)))
        call(arguments.cli, "import", weights, "--vocabulary", words, "--output", run)
        call(arguments.cli, "export", run, file)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = arguments.threads
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        check(model, session)

        print(f"{datetime.date.today()}, {processor()}, {arguments.threads} threads; PyTorch {torch.__version__}, "
              f"onnxruntime {onnxruntime.__version__}; the same GRU, E {EMBEDDING}, H {HIDDEN}, V {WORDS}\n")
        print("| streams | ours, tokens/s | PyTorch | onnxruntime | ours over PyTorch | ours over onnxruntime |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: |")
        for streams in arguments.streams:
            ours, torchs, onnxs = [], [], []
            for _ in range(arguments.rounds):
                found = json.loads(call(
                    arguments.cli, "benchmark", "--json", "--workload", f"serve-gru-b{streams}", "--threads",
                    arguments.threads, "--seconds", arguments.seconds))
                ours.append(found[0]["medianMilliseconds"] / 1000)
                torchs.append(median(torch_step(model, streams), arguments.seconds))
                onnxs.append(median(onnx_step(session, streams), arguments.seconds))
            a, b, c = (statistics.median(times) for times in (ours, torchs, onnxs))
            print(f"| {streams} | {streams / a:,.0f} | {streams / b:,.0f} | {streams / c:,.0f} | {b / a:.2f} | {c / a:.2f} |",
                  flush=True)


if __name__ == "__main__":
    main()
