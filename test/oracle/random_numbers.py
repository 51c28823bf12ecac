"""Writes random_numbers.json: TensorFlow's bits and what is made of them, and SciPy's values for the statistics.

python random_numbers.py     (tensorflow-cpu==2.21.0, numpy==2.4.6, scipy==1.17.1)

The key of a stream is computed here a second time from its definition (FNV-1a, then MurmurHash3's finaliser).
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from scipy.special import erfinv
from scipy.stats import chi2, ksone, norm


def full_int(key, step, shape):
    return tf.raw_ops.StatelessRandomUniformFullInt(shape=shape, seed=[key, step], dtype=tf.int32).numpy()


def signed(x):
    return (x + 2**31) % 2**32 - 2**31


def stream_key(seed, stream):
    h = 0x811C9DC5
    for c in stream.encode("utf-16-le")[::2]:
        h = ((h ^ c) * 0x01000193) % 2**32
    h ^= seed * 0x9E3779B1 % 2**32
    h = (h ^ h >> 16) * 0x85EBCA6B % 2**32
    h = (h ^ h >> 13) * 0xC2B2AE35 % 2**32
    return (h ^ h >> 16) % (2**31 - 1)


def uniform(bits):
    cells = np.floor(bits.astype(np.float32).astype(float) / 256)
    return np.clip(cells, -(2**23), 2**23 - 1) * 2.0**-24 + 0.5


raw = [
    {"key": key, "step": step, "shape": shape, "bits": full_int(key, step, shape).ravel().tolist()}
    for key, step, shape in [
        (0, 0, [9]),
        (1, 0, [4]),
        (0, 1, [1]),
        (-1, 2, [3, 3]),
        (123456789, 5000, [2, 3, 2]),
        (2**31 - 1, 2**24, [6]),
        (-(2**31), -1, [6]),
        (-987654321, 16_000_000, [35]),
    ]
]

streams = []
for seed, stream, step, draw in [
    (1, "joint/x", 0, None),
    (1, "joint/x", 1, None),
    (2, "joint/x", 1, None),
    (1, "marginal/z", 1, None),
    (2**31 - 1, "generator/dense-1/kernel", 12345, None),
    (7, "held-out/x", 300, 0),
    (7, "held-out/x", 300, 1),
    (7, "held-out/x", 300, 999_999),
]:
    key = signed(stream_key(seed, stream) + (draw or 0) * 1663) % (2**31 - 1)
    bits = full_int(key, step, [3, 5])
    streams.append(
        {
            "seed": seed,
            "stream": stream,
            "step": step,
            "draw": draw,
            "integers": np.mod(bits, 1000).ravel().tolist(),
            "uniform": uniform(bits).ravel().tolist(),
            "normal": (np.sqrt(2) * erfinv(2 * uniform(bits) - (1 - 2.0**-24))).ravel().tolist(),
        }
    )

tails = 1 - np.geomspace(2.0**-24, 0.1, 60)
grid = np.concatenate([-tails, np.linspace(-0.9, 0.9, 181), [1e-30, 1e-8, 1e-4, -1e-6, 0], tails])
x = np.unique(grid.astype(np.float32))
probabilities = np.arange(1, 2000) / 2000

expected = {
    "raw": raw,
    "streams": streams,
    "inverseErrorFunction": {"x": x.tolist(), "value": erfinv(x.astype(float)).tolist()},
    # Each statistic stays below its threshold with probability 0.999.
    "normalQuantiles": {"probabilities": probabilities.tolist(), "values": norm.ppf(probabilities).tolist()},
    "kolmogorovSmirnov": {"count": 200_000, "threshold": float(ksone.ppf(0.9995, 200_000))},
    "chiSquare": {str(bins): float(chi2.ppf(0.999, bins - 1)) for bins in (2, 10, 25, 256, 1000)},
    "normalDeviation": float(norm.ppf(0.9995)),
}
path = Path(__file__).parent / "random_numbers.json"
path.write_text("{\n" + ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in expected.items()) + "\n}\n")
