"""Writes exponentials.json and gradients.json: scipy's expm of skew-symmetric
matrices, and the exact gradients through it.

The matrices follow from a formula (`skew`), so that only samples of the results
are stored. scipy's results are checked here against 80-bit arithmetic.

pip install numpy scipy; python generate.py
"""
import json
import pathlib

import numpy as np
import scipy
from scipy.linalg import expm

HERE = pathlib.Path(__file__).parent
SAMPLES = 64


def hash24(i, j, salt):
    """24 bits, uniform; the same in SkewFixture.swift."""
    x = (i * 0x9E3779B1 + j * 0x85EBCA77 + salt * 0xC2B2AE3D) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 0x2C1B3C6D) & 0xFFFFFFFF
    x ^= x >> 12
    x = (x * 0x297A2D39) & 0xFFFFFFFF
    return (x ^ (x >> 15)) >> 8


def uniform(rows, columns, salt):
    """In [-1, 1)."""
    i, j = np.meshgrid(np.arange(rows, dtype=np.uint64), np.arange(columns, dtype=np.uint64), indexing="ij")
    return hash24(i, j, np.uint64(salt)).astype(np.float64) * 2.0**-23 - 1


def skew(n, salt, scale):
    """Below the diagonal scale · uniform, rounded to Float."""
    lower = np.tril((scale * uniform(n, n, salt)).astype(np.float32).astype(np.float64), -1)
    return lower - lower.T


def scaled_skew(n, salt, norm):
    """A scale with few digits that gives about the norm asked for, and the matrix."""
    unit = np.linalg.norm(skew(n, salt, 1.0), 2) if n > 1 else 1.0
    scale = float(np.float32(norm / unit)) if n > 1 else 1.0
    return scale, skew(n, salt, scale)


def exact_expm(b):
    """Taylor to rounding in 80 bits, squared."""
    squarings = max(0, int(np.ceil(np.log2(max(np.linalg.norm(b, 2), 1e-300)))) + 1)
    a = b.astype(np.longdouble) / np.longdouble(2.0**squarings)
    result, term = np.eye(len(b), dtype=np.longdouble), np.eye(len(b), dtype=np.longdouble)
    for k in range(1, 22):
        term = term @ a / k
        result = result + term
    for _ in range(squarings):
        result = result @ result
    return result


def sample(matrix):
    """All elements of a small matrix, else SAMPLES of them at hashed places."""
    n = len(matrix)
    if n * n <= SAMPLES:
        return matrix.flatten().tolist()
    return [float(matrix[hash24(k, 0, 9) % n, hash24(k, 1, 9) % n]) for k in range(SAMPLES)]


def exponentials():
    cases, worst = [], 0.0
    for n in [1, 2, 3, 8, 17, 50, 128, 200, 512]:
        norms = [1e-3, 0.3, 1, 3, 10, 30, 100] if n < 512 else [0.5, 10, 100]
        for index, norm in enumerate(norms if n > 1 else [1]):
            salt = 10 * n + index
            scale, b = scaled_skew(n, salt, norm)
            w = expm(b)
            if n <= 200:
                worst = max(worst, float(np.abs(w - exact_expm(b)).max()))
            cases.append({"size": n, "salt": salt, "scale": scale, "norm": float(norm), "values": sample(w)})
    print("scipy's expm against 80 bits:", worst)
    assert worst < 5e-13
    return cases


def exact_gradient(b, g):
    """d/dB Σ G · exp(B) with B_ji = -B_ij: the block upper triangular form of the
    Fréchet derivative L (Mathias 1996), whose adjoint at B is L at Bᵀ."""
    n = len(b)
    block = np.zeros((2 * n, 2 * n))
    block[:n, :n] = block[n:, n:] = b.T
    block[:n, n:] = g
    adjoint = expm(block)[:n, n:]
    return adjoint - adjoint.T


def gradients():
    cases = []
    for n in [2, 3, 8, 50, 128]:
        for index, norm in enumerate([1e-3, 0.3, 1, 3, 10, 30]):
            salt = 10 * n + index
            scale, b = scaled_skew(n, salt, norm)
            values = exact_gradient(b, uniform(n, n, salt + 5000))
            cases.append({
                "size": n, "salt": salt, "scale": scale, "norm": float(norm),
                "values": sample(values), "largest": float(np.abs(values).max())})
    return cases


def write(name, cases):
    path = HERE / name
    path.write_text(json.dumps({"source": f"scipy {scipy.__version__}, float64", "cases": cases}) + "\n")
    print(name, path.stat().st_size, "bytes")


write("exponentials.json", exponentials())
write("gradients.json", gradients())
