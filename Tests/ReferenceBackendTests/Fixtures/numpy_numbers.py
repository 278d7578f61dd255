"""Writes numpy_numbers.json: what the reference backend is compared with.

    pip install numpy && python numpy_numbers.py

Numbers are strings, since JSON has no infinity and no NaN. Philox is written
out here once more, in Python's own integers.
"""
import json
import math
import pathlib

import numpy as np

random = np.random.default_rng(2026)
numbers = {}


def keep(name, values):
    numbers[name] = [repr(float(x)) for x in np.asarray(values, dtype=np.float64).ravel()]


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def uniform(seed, purpose, stream, step, index):
    block = index // 4
    counter = [block & 0xFFFFFFFF, block >> 32, purpose << 24 | stream, step]
    return (philox(counter, [seed & 0xFFFFFFFF, seed >> 32])[index % 4] >> 8) * 2.0**-24


# Products: A [4, 6], B [6, 5], C [4, 5].
a, b, c = random.normal(size=(4, 6)), random.normal(size=(6, 5)), random.normal(size=(4, 5))
keep("gemm a", a)
keep("gemm b", b)
keep("gemm c", c)
keep("gemm result", -0.5 * a @ b + 2 * c)

# Operations over every pair of hard values.
hard = [0.0, -0.0, 1, -1, 0.5, 1e-8, 3, -20, 20, -746, 710, 1e300, -1e-300, np.inf, -np.inf, np.nan]
x, y = (m.ravel() for m in np.meshgrid(hard, hard, indexing="ij"))
keep("x", x)
keep("y", y)
with np.errstate(all="ignore"):
    keep("negate", -x)
    keep("absolute", np.abs(x))
    keep("sign", np.where(np.isnan(x), 0, np.sign(x)))
    keep("exp", np.exp(x))
    keep("log", np.log(x))
    keep("sqrt", np.sqrt(x))
    keep("tanh", np.tanh(x))
    keep("sigmoid", 1 / (1 + np.exp(-x)))
    # NumPy's own sine and cosine may be wrong in the last place, and it has no error function.
    for name in ["sin", "cos", "erf"]:
        keep(name, [getattr(math, name)(v) if name == "erf" or math.isfinite(v) else math.nan for v in x])
    keep("add", x + y)
    keep("subtract", x - y)
    keep("multiply", x * y)
    keep("divide", x / y)
    keep("maximum", np.maximum(x, y))
    keep("minimum", np.minimum(x, y))
    keep("greater", x > y)
    keep("equal", x == y)
    keep("select", np.where(x != 0, y, x + 1))

# Linear algebra.
a, b = random.normal(size=(7, 7)), random.normal(size=(7, 3))
a[0, 0] = 0
keep("solve a", a)
keep("solve b", b)
keep("solve result", np.linalg.solve(a, b))
h = random.normal(size=(6, 6)) + 1j * random.normal(size=(6, 6))
h = h + h.conj().T
keep("eigen real", h.real)
keep("eigen imaginary", h.imag)
keep("eigenvalues", np.linalg.eigvalsh(h))

# Softmax cross-entropy, R = 6, H = 4, V = 5, dropout 0.4, two rows without target.
x, w, bias = random.normal(size=(6, 4)), random.normal(size=(5, 4)), random.normal(size=5)
targets = np.array([2, -1, 0, 4, 4, -1])
mask = np.array([[uniform(5, 6, 0, 9, r * 5 + v) >= 0.4 for v in range(5)] for r in range(6)]) / 0.6
for name, factor in [("", np.ones((6, 5))), (" dropout", mask)]:
    logits = (x @ w.T + bias) * factor
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    counted = targets >= 0
    rows = np.arange(6)[counted]
    keep("loss" + name, [-np.log(p[rows, targets[rows]]).sum()])
    keep("correct" + name, [(logits.argmax(1)[rows] == targets[rows]).sum()])
    delta = p.copy()
    delta[rows, targets[rows]] -= 1
    delta = delta * counted[:, None] * factor / counted.sum()
    keep("loss inputs" + name, delta @ w)
    keep("loss weight" + name, delta.T @ x)
    keep("loss bias" + name, delta.sum(0))
keep("loss x", x)
keep("loss w", w)
keep("loss b", bias)
keep("loss targets", targets)

# Random numbers: seed, purpose 6 (dropout), stream, step.
keep("uniform", [uniform(0x123456789ABCDEF0, 6, 3, 2**32 - 1, i) for i in range(40)])

path = pathlib.Path(__file__).with_name("numpy_numbers.json")
path.write_text(json.dumps(numbers, indent=0) + "\n")
