"""Writes dense-network.json: fully connected networks with batch normalisation, forward and backward, in float64.

python dense_network.py     (numpy==2.4.6)

Gradients of sum(weight * output) are by the complex step, exact to machine precision; the slope of an activation is taken at
the real part.
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(1)
EPSILON, MOMENTUM = 1e-5, 0.9


def activate(x, name, leakiness):
    negative = {"relu": lambda v: 0 * v, "leaky-relu": lambda v: leakiness * v, "elu": lambda v: np.exp(v) - 1}[name]
    return np.where(x.real > 0, x, negative(x))


def forward(case, parameters, x, evaluate=False):
    """Output, and per normalised layer the mean and variance of this batch."""
    moments = {}
    layers = len(case["hidden"]) + 1
    for i in range(1, layers + 1):
        layer = f"dense-{i}"
        x = x @ parameters[f"{layer}/kernel"] + parameters[f"{layer}/bias"]
        if i == layers:
            return x, moments
        if case["batchNormalization"]:
            name = f"{layer}/batch-normalization"
            mean, variance = x.mean(0), ((x - x.mean(0)) ** 2).mean(0)
            moments[name] = (mean, variance)
            if evaluate:
                mean, variance = parameters[f"{name}/running-mean"], parameters[f"{name}/running-variance"]
            x = (x - mean) / np.sqrt(variance + EPSILON) * parameters[f"{name}/scale"] + parameters[f"{name}/offset"]
        x = activate(x, case["activation"], case["leakiness"])


def complex_step(case, parameters, x, weight, target):
    gradient = np.zeros_like(target, dtype=float)
    for index in np.ndindex(target.shape):
        kept = target[index]
        target[index] = kept + 1e-30j
        gradient[index] = (weight * forward(case, parameters, x)[0]).sum().imag / 1e-30
        target[index] = kept
    return gradient


def value(array):
    return {"shape": list(array.shape), "values": np.asarray(array).real.ravel().tolist()}


cases = []
for activation, normalized, hidden in (
    ("relu", False, [7]),
    ("elu", False, [6, 4]),
    ("leaky-relu", True, [6, 5]),
    ("relu", True, [4]),
):
    case = {
        "activation": activation,
        "leakiness": 0.3,
        "batchNormalization": normalized,
        "inputs": 3,
        "hidden": hidden,
        "outputs": 2,
    }
    widths = [3, *hidden, 2]
    parameters = {}
    for i, (a, b) in enumerate(zip(widths, widths[1:]), 1):
        parameters[f"dense-{i}/kernel"] = rng.normal(0, 0.7, (a, b))
        parameters[f"dense-{i}/bias"] = rng.normal(0, 0.3, b)
        if normalized and i <= len(hidden):
            name = f"dense-{i}/batch-normalization"
            parameters |= {
                f"{name}/scale": rng.uniform(0.5, 1.5, b),
                f"{name}/offset": rng.normal(0, 0.3, b),
                f"{name}/running-mean": rng.normal(0, 0.3, b),
                f"{name}/running-variance": rng.uniform(0.5, 1.5, b),
            }
    parameters = {k: v.astype(np.float32).astype(complex) for k, v in parameters.items()}
    x = rng.normal(0, 1, (9, 3)).astype(np.float32).astype(complex)
    weight = rng.normal(0, 1, (9, 2)).astype(np.float32).astype(float)
    output, moments = forward(case, parameters, x)
    running = {}
    for name, (mean, variance) in moments.items():
        for kind, moment in (("running-mean", mean), ("running-variance", variance)):
            old = parameters[f"{name}/{kind}"]
            running[f"{name}/{kind}"] = value(MOMENTUM * old + (1 - MOMENTUM) * moment)
    trained = [k for k in parameters if "running" not in k]
    cases.append(
        case
        | {
            "parameters": {k: value(v) for k, v in parameters.items()},
            "x": value(x),
            "weight": value(weight),
            "output": value(output),
            "evaluated": value(forward(case, parameters, x, evaluate=True)[0]),
            "gradients": {k: value(complex_step(case, parameters, x, weight, parameters[k])) for k in trained},
            "gradientOfX": value(complex_step(case, parameters, x, weight, x)),
            "runningAfterwards": running,
        }
    )
(Path(__file__).parent / "dense-network.json").write_text(json.dumps(cases, indent=1) + "\n")
