"""Writes operations.json: for every operation, random inputs, its value and the gradient of a weighted sum of it.

python operations.py     (numpy==2.4.6, scipy==1.17.1)

Everything is float64 NumPy, written from the operations' definitions; gradients are central finite differences, taken with
two step sizes that must agree, so that no input lies on a kink. Inputs are multiples of 1/256, exact in float32.
Adding an operation is one row here and one in operations.test.ts.
"""

import json
import zlib
from pathlib import Path

import numpy as np
from scipy.special import expit, log_softmax, logsumexp, softmax


def normal(*shape):
    return lambda rng: np.round(rng.normal(size=shape) * 256) / 256


def positive(*shape):
    return lambda rng: np.round((np.abs(rng.normal(size=shape)) + 0.25) * 256) / 256


def integers(low, high, *shape):
    return lambda rng: rng.integers(low, high, size=shape)


def convolve(x, filter, stride):
    """Cross-correlation with "same" padding, the larger half of it behind: [n, h, w, c] and [kh, kw, c, out]."""
    n, height, width, _ = x.shape
    kh, kw, _, out = filter.shape
    rows, columns = -(-height // stride), -(-width // stride)
    above = max((rows - 1) * stride + kh - height, 0)
    left = max((columns - 1) * stride + kw - width, 0)
    padded = np.pad(x, ((0, 0), (above // 2, above - above // 2), (left // 2, left - left // 2), (0, 0)))
    y = np.zeros((n, rows, columns, out))
    for i in range(kh):
        for j in range(kw):
            window = padded[:, i : i + rows * stride : stride, j : j + columns * stride : stride][:, :rows, :columns]
            y += window @ filter[i, j]
    return y


def convolve_transposed(x, filter, shape, stride):
    """The adjoint of `convolve`: [n, rows, columns, out] and [kh, kw, c, out] to `shape`, [n, h, w, c]."""
    kh, kw, _, _ = filter.shape
    _, rows, columns, _ = x.shape
    _, height, width, _ = shape
    above = max((rows - 1) * stride + kh - height, 0)
    left = max((columns - 1) * stride + kw - width, 0)
    padded = np.zeros((shape[0], height + above, width + left, shape[3]))
    for i in range(kh):
        for j in range(kw):
            padded[:, i : i + rows * stride : stride, j : j + columns * stride : stride] += x @ filter[i, j].T
    return padded[:, above // 2 : above // 2 + height, left // 2 : left // 2 + width]


def normalise(x):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)


def cross_entropy(labels, logits):
    return -(np.eye(logits.shape[1])[labels] * log_softmax(logits, axis=1)).sum(1).mean()


# A row: the inputs in order, the operation, and whether it has a gradient.
ROWS = {
    "matMul": ([normal(3, 4), normal(4, 2)], lambda a, b: a @ b),
    "matMulTransposed": ([normal(4, 3), normal(2, 4)], lambda a, b: a.T @ b.T),
    "matMulBatched": ([normal(2, 3, 4), normal(2, 4, 2)], lambda a, b: a @ b),
    "add": ([normal(3, 4), normal(4)], lambda a, b: a + b),
    "sub": ([normal(3, 1), normal(4)], lambda a, b: a - b),
    "mul": ([normal(3, 4), normal(3, 1)], lambda a, b: a * b),
    "div": ([normal(4), positive(3, 4)], lambda a, b: a / b),
    "addScalar": ([normal(3)], lambda a: a + 2.5),
    "mulIntegers": ([integers(-9, 9, 3, 4), integers(-9, 9, 4)], lambda a, b: a * b, False),
    "addN": ([normal(3, 4), normal(3, 4), normal(3, 4)], lambda a, b, c: a + b + c),
    "neg": ([normal(3, 4)], np.negative),
    "exp": ([normal(3, 4)], np.exp),
    "expm1": ([normal(3, 4)], np.expm1),
    "log": ([positive(3, 4)], np.log),
    "log1p": ([positive(3, 4)], np.log1p),
    "sqrt": ([positive(3, 4)], np.sqrt),
    "rsqrt": ([positive(3, 4)], lambda x: 1 / np.sqrt(x)),
    "square": ([normal(3, 4)], np.square),
    "pow": ([positive(3, 4), normal(4)], np.power),
    "squaredDifference": ([normal(3, 4), normal(3, 4)], lambda a, b: (a - b) ** 2),
    "abs": ([normal(3, 4)], np.abs),
    "sign": ([normal(3, 4)], np.sign, False),
    "sin": ([normal(3, 4)], np.sin),
    "cos": ([normal(3, 4)], np.cos),
    "tanh": ([normal(3, 4)], np.tanh),
    "floor": ([normal(3, 4)], np.floor, False),
    "mod": ([normal(3, 4), positive(3, 4)], np.mod, False),
    "modIntegers": ([integers(-99, 99, 3, 4), integers(1, 9, 4)], np.mod, False),
    "relu": ([normal(3, 4)], lambda x: np.maximum(x, 0)),
    "elu": ([normal(3, 4)], lambda x: np.where(x > 0, x, np.expm1(x))),
    "leakyRelu": ([normal(3, 4)], lambda x: np.where(x > 0, x, 0.1 * x)),
    "softplus": ([normal(3, 4)], lambda x: np.logaddexp(0, 8 * x)),
    "sigmoid": ([normal(3, 4)], expit),
    "logSigmoid": ([normal(3, 4)], lambda x: -np.logaddexp(0, -x)),
    "clip": ([normal(3, 4)], lambda x: np.clip(x, -0.5, 0.75)),
    "sum": ([normal(3, 4)], np.sum),
    "sumOverAxis": ([normal(2, 3, 4)], lambda x: x.sum(1)),
    "mean": ([normal(3, 4)], np.mean),
    "meanOverAxes": ([normal(2, 3, 4)], lambda x: x.mean((0, 2), keepdims=True)),
    "max": ([normal(3, 4)], np.max),
    "maxOverAxis": ([normal(2, 3, 4)], lambda x: x.max(-1)),
    "minOverAxis": ([normal(2, 3, 4)], lambda x: x.min(0)),
    "argMax": ([normal(3, 4)], lambda x: x.argmax(1), False),
    "logSumExp": ([normal(3, 4)], lambda x: logsumexp(20 * x, axis=1)),
    "concat": ([normal(3, 2), normal(3, 1), normal(3, 4)], lambda *x: np.concatenate(x, 1)),
    "slice": ([normal(3, 5)], lambda x: x[1:3, 2:5]),
    "stack": ([normal(3, 2), normal(3, 2)], lambda a, b: np.stack([a, b], 1)),
    "unstack": ([normal(3, 2)], lambda x: x[2] * x[0] - x[1]),
    "split": ([normal(3, 6)], lambda x: x[:, 3:] - x[:, 1:2] * x[:, :1]),
    "reshape": ([normal(3, 4)], lambda x: x.reshape(2, 6)),
    "expandDims": ([normal(3, 4)], lambda x: x[:, None, :]),
    "transpose": ([normal(2, 3, 4)], lambda x: x.transpose(2, 0, 1)),
    "reverse": ([normal(3, 4)], lambda x: x[:, ::-1]),
    "cumsum": ([normal(3, 4)], lambda x: x.cumsum(1)),
    "tile": ([normal(3, 2)], lambda x: np.tile(x, (2, 3))),
    "pad": ([normal(3, 2)], lambda x: np.pad(x, ((1, 0), (2, 1)))),
    "broadcastTo": ([normal(3, 1)], lambda x: np.broadcast_to(x, (2, 3, 4))),
    "gatherRows": ([normal(5, 3), integers(0, 5, 7)], lambda x, i: x[i], False),
    "gatherIntegerRows": ([integers(0, 99, 5, 3), integers(0, 5, 7)], lambda x, i: x[i], False),
    "oneHot": ([integers(0, 4, 6)], lambda i: np.eye(4)[i], False),
    "range": ([integers(0, 9, 4)], lambda i: i + np.arange(4), False),
    "where": ([integers(0, 2, 3, 4), normal(3, 4), normal(3, 4)], lambda c, a, b: np.where(c > 0, a, b)),
    "less": ([normal(3, 4), normal(4)], np.less, False),
    "greater": ([normal(3, 4), normal(4)], np.greater, False),
    "greaterEqual": ([integers(0, 3, 3, 4), integers(0, 3, 4)], np.greater_equal, False),
    "equal": ([integers(0, 3, 3, 4), integers(0, 3, 4)], np.equal, False),
    "logicalAnd": ([normal(3, 4), normal(3, 4)], lambda a, b: (a > 0) & (b > 0), False),
    "minimum": ([normal(3, 4), normal(3, 4)], np.minimum),
    "maximum": ([normal(3, 4), normal(3, 4)], np.maximum),
    "castToFloat": ([integers(-9, 9, 3, 4)], lambda x: x * 0.5, False),
    "castToInteger": ([normal(3, 4)], lambda x: np.trunc(8 * x).astype(int), False),
    "softmax": ([normal(3, 4)], lambda x: softmax(x, axis=1)),
    "logSoftmax": ([normal(3, 4)], lambda x: log_softmax(x, axis=1)),
    "softmaxCrossEntropy": ([integers(0, 4, 3), normal(3, 4)], cross_entropy),
    "batchNormalization": ([normal(6, 3), positive(3), normal(3)], lambda x, s, o: normalise(x) * s + o),
    "globalNorm": ([normal(3, 4), normal(4)], lambda a, b: np.sqrt((a**2).sum() + (b**2).sum())),
    "logMeanExp": ([normal(6, 1)], lambda x: logsumexp(20 * x) - np.log(6)),
    "conv2d": ([normal(2, 4, 5, 3), normal(3, 3, 3, 2)], lambda x, f: convolve(x, f, 1)),
    "conv2dStride2": ([normal(2, 5, 6, 3), normal(5, 5, 3, 2)], lambda x, f: convolve(x, f, 2)),
    "conv2dTranspose": (
        [normal(2, 3, 3, 2), normal(4, 4, 3, 2)],
        lambda x, f: convolve_transposed(x, f, (2, 6, 6, 3), 2),
    ),
}


def finite_differences(function, inputs, index, weights, step):
    gradient = np.zeros(inputs[index].size)
    for i in range(gradient.size):
        sides = []
        for sign in (1, -1):
            moved = [x.copy() for x in inputs]
            moved[index].flat[i] += sign * step
            sides.append((function(*moved) * weights).sum())
        gradient[i] = (sides[0] - sides[1]) / (2 * step)
    return gradient.reshape(inputs[index].shape)


def tensor(x):
    x = np.asarray(x)
    kind = {"f": "float32", "i": "int32", "b": "bool"}[x.dtype.kind]
    values = [float(f"{v:.10g}") if kind == "float32" else int(v) for v in x.ravel().tolist()]
    return {"dtype": kind, "shape": list(x.shape), "values": values}


def evaluated(name, inputs, function, has_gradient=True):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    drawn = [draw(rng) for draw in inputs]
    value = np.asarray(function(*drawn))
    row = {"inputs": [tensor(x) for x in drawn], "value": tensor(value)}
    if has_gradient:
        weights = np.asarray(normal(*value.shape)(rng))
        gradients = {}
        for i, x in enumerate(drawn):
            if x.dtype.kind != "f":
                continue
            gradient = finite_differences(function, drawn, i, weights, 1e-5)
            np.testing.assert_allclose(gradient, finite_differences(function, drawn, i, weights, 3e-5), 1e-7, 1e-7)
            gradients[i] = tensor(gradient)
        row |= {"weights": tensor(weights), "gradients": gradients}
    return row


rows = {name: evaluated(name, *row) for name, row in ROWS.items()}
lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
(Path(__file__).parent / "operations.json").write_text("{\n" + lines + "\n}\n")
