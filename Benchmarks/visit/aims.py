"""The CUDA backend's aims, compared with what was measured."""


def ratio(values, top, bottom):
    """Returns the ratio of two medians, each given by a side and a workload, or None if one is missing."""
    a, b = (values.get("ms", {}).get(side, {}).get(workload) for side, workload in [top, bottom])
    return a / b if a and b else None


def table(values):
    """Returns the aims as lines of Markdown."""
    lines = ["| aim | | |", "| --- | --- | --- |"]
    for text, measured, reached in rows(values):
        lines.append(f"| {text} | {measured} | {'–' if reached is None else 'reached' if reached else '**missed**'} |")
    return lines + [""]


def counted(values, name, text):
    """Returns a row that counts successes."""
    if name not in values:
        return text, "not run", None
    good, all_of_them = values[name]
    return text, f"{good} of {all_of_them}", good == all_of_them


def rows(values):
    yield counted(values, "tests", "every test on the GPU passes")
    for t in [35, 150]:
        for cell in ["rnn", "urnn", "gru", "ugru"]:
            name = f"lm-{cell}-t{t}"
            yield bounded(f"{name}: cuDNN FP32 over ours, at least 1", ratio(values, ("PyTorch FP32", name), ("ours FP32", name)), least=1)
    for t in [35, 150]:
        name = f"lm-urnn-abs-t{t}"
        yield bounded(f"{name}: a loop in PyTorch over ours, at least 10", ratio(values, ("PyTorch FP32", name), ("ours FP32", name)), least=10)
    for t in [35, 150]:
        overhead = ratio(values, ("ours FP32", f"lm-ugru-t{t}"), ("ours FP32", f"lm-gru-t{t}"))
        percent = None if overhead is None else 100 * (overhead - 1)
        yield bounded(f"uGRU over GRU, T = {t}, at most 2 %", percent, most=2, unit=" %")
    for cell in ["gru", "ugru"]:
        yield bounded(f"an epoch of the Penn Treebank, {cell}, at most 1 s", values.get("ptb", {}).get(cell), most=1, unit=" s")
    yield bounded("recall, N = 100, is solved; seconds", values.get("recall"), most=float("inf"), unit=" s")
    yield counted(values, "sanitizer", "compute-sanitizer finds nothing")
    runs = values.get("table7")
    epochs = ", ".join(f"{name} {count}" for name, count in sorted(runs.items())) if runs else "not run"
    yield "table 7, 300 epochs of each run", epochs, None if not runs else len(runs) == 4 and min(runs.values()) >= 300


def bounded(text, value, least=float("-inf"), most=float("inf"), unit=""):
    if value is None:
        return text, "not measured", None
    return text, f"{value:.2f}{unit}", least <= value <= most
