"""The parts that time training steps, ours and PyTorch's, and epochs on the corpus."""

import json
import re
import shutil

PRECISIONS = {"FP32": [], "TF32": ["--tf32"], "bf16": ["--precision", "bf16"]}


def medians(output):
    """Returns milliseconds by workload; empty if there is no result."""
    # Warnings may precede the result, and may begin with a bracket too.
    array = re.search(r"^\[\s*\{.*", output, re.MULTILINE | re.DOTALL)
    try:
        entries, _ = json.JSONDecoder().raw_decode(array[0] if array else "")
    except ValueError:
        return {}
    return {entry["workload"]: entry["medianMilliseconds"] for entry in entries}


def timed(visit, sizes, side, log, names):
    """Times workloads on one side, such as `ours FP32` or `PyTorch TF32`."""
    who, precision = side.split(" ")
    arguments = [flag for name in names for flag in ["--workload", name]] + ["--json", "--seconds", sizes.seconds]
    if who == "ours":
        command = visit.cli(log, "benchmark", "--backend", "cuda", *arguments, *PRECISIONS[precision], limit=300)
    elif visit.has_torch:
        # As a user would run it: every kernel is started from Python, without CUDA graphs.
        command = visit.python(log, "benchmark.py", "--device", sizes.torch_device, *arguments, *PRECISIONS[precision], limit=300)
    else:
        return
    visit.run(command)
    keep(visit, side, command)


def keep(visit, side, command):
    found = medians(command.output) if command.status == 0 else {}
    if found:
        all_times = visit.values.get("ms", {})
        all_times.setdefault(side, {}).update(found)
        visit.value("ms", all_times)
    elif command.status is not None and not command.is_cut_off:
        visit.note(f"{side}: no times, see {command.log.name}", failed=True)


def table(visit, names):
    sides = {side: found for side, found in visit.values.get("ms", {}).items() if any(name in found for name in names)}
    lines = ["| ms | " + " | ".join(sides) + " | PyTorch over ours, FP32 |", "| --- |" + " ---: |" * (len(sides) + 1)]
    for name in names:
        values = {side: found.get(name) for side, found in sides.items()}
        cells = [f"{value:.3f}" if value is not None else "–" for value in values.values()]
        ours, theirs = values.get("ours FP32"), values.get("PyTorch FP32")
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {f'{theirs / ours:.2f}' if ours and theirs else '–'} |")
    visit.note("medians of training steps (PyTorch: warmed up, synchronized, without CUDA graphs):\n\n" + "\n".join(lines) + "\n")


def peers(visit, sizes):
    """Times the workloads of the aims, on all sides."""
    for side in sizes.sides:
        timed(visit, sizes, side, f"times-{side.replace(' ', '-')}.txt", sizes.peers)
    table(visit, sizes.peers)


def times(visit, sizes):
    """Times the other workloads, with a process for each group, so that cutting one off doesn't affect the others."""
    for index, names in enumerate(sizes.times):
        for side in ["ours FP32", "PyTorch FP32"]:
            timed(visit, sizes, side, f"times-{index}-{side.replace(' ', '-')}.txt", names)
    if not visit.is_rehearsal:
        timed(visit, sizes, "ours bf16", "times-ours-bf16.txt", sizes.peers)
    for side in sizes.sides[2:]:
        timed(visit, sizes, side, f"times-0-{side.replace(' ', '-')}.txt", sizes.times[0])
    table(visit, sizes.peers + [name for names in sizes.times for name in names])


def ptb(visit, sizes):
    """Times epochs of the language model; the first loads kernels, the last counts."""
    if not visit.data:
        return visit.not_run("ptb: NOT RUN, no corpus (--data DIR, PTB_DIR, or one that was carried)")
    seconds = visit.values.get("ptb", {})
    for cell in ["gru", "ugru"]:
        folder = visit.work / f"ptb-{cell}"
        training = visit.run(visit.cli(
            f"ptb-{cell}.txt", "train", "--backend", "cuda", "--dataset", "ptb", "--data", visit.data, "--cell", cell, *sizes.ptb,
            "--output", folder, "--overwrite"))
        metrics = folder / "metrics.jsonl"
        lines = [json.loads(line) for line in metrics.read_text().splitlines()] if metrics.exists() else []
        shutil.rmtree(folder, ignore_errors=True)
        epochs = [line["seconds"] for line in lines if line.get("split") == "train"]
        valid = [f"{float(line['perplexity']):.1f}" for line in lines if line.get("split") == "valid"]
        if epochs:
            seconds[cell] = epochs[-1]
            visit.value("ptb", seconds)
        visit.note(f"ptb, {cell}: epochs of {', '.join(f'{s:.2f}' for s in epochs) or '–'} s, validation perplexities {', '.join(valid) or '–'}; "
                   f"{training.seconds:.1f} s with loading and evaluation", failed=not valid and not training.is_cut_off and training.status is not None)
    if visit.has_torch:
        command = visit.run(visit.python(
            "ptb-pytorch.txt", "ptb_epoch.py", "--device", sizes.torch_device, "--data", visit.data, "--cell", "gru", "--cell", "ugru",
            *sizes.ptb_torch))
        lines = [re.sub(r"\s+", " ", line) for line in command.output.splitlines() if "perplexity" in line]
        visit.note(f"ptb in PyTorch: {'; '.join(lines) or 'see ptb-pytorch.txt'}", failed=not lines and command.status not in (None, 0) and not command.is_cut_off)
