"""Writes optimizers.json: the parameters after each step of Adam and of gradient descent, in float64.

python optimizers.py     (numpy==2.4.6)

The gradient of a parameter p is p * (p - target): it changes with the parameter, so that a stale one is noticed.
Adam is TensorFlow's ("epsilon hat" in Kingma & Ba, end of section 2): the bias corrections are in the step size, and epsilon
is added to the root of the uncorrected second moment. `paperForm` is the last value of Algorithm 1 as printed, where epsilon
is added to the root of the corrected one.
"""

import json
from pathlib import Path

import numpy as np

STEPS = 12
INITIAL = [np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -0.75]]), np.array([0.5, -1.5])]
TARGET = [np.array([[0.5, 1.0, -1.0], [2.0, -0.5, 0.125]]), np.array([-1.0, 0.75])]

SCHEDULES = {
    "constant": lambda t: 1.0,
    "linear": lambda t: 1 - t / STEPS,
    "cosine": lambda t: (1 + np.cos(np.pi * t / STEPS)) / 2,
}


def adam(config, factor, paper_form=False):
    beta1, beta2, epsilon = config["beta1"], config["beta2"], config["epsilon"]
    parameters = [p.copy() for p in INITIAL]
    first = [np.zeros_like(p) for p in INITIAL]
    second = [np.zeros_like(p) for p in INITIAL]
    for t in range(STEPS):
        rate = config["learningRate"] * factor(t)
        correction1, correction2 = 1 - beta1 ** (t + 1), 1 - beta2 ** (t + 1)
        for p, target, m, v in zip(parameters, TARGET, first, second):
            gradient = p * (p - target)
            m[...] = beta1 * m + (1 - beta1) * gradient
            v[...] = beta2 * v + (1 - beta2) * gradient**2
            if paper_form:
                p -= rate * (m / correction1) / (np.sqrt(v / correction2) + epsilon)
            else:
                p -= rate * np.sqrt(correction2) / correction1 * m / (np.sqrt(v) + epsilon)
        yield parameters


def sgd(config, factor):
    parameters = [p.copy() for p in INITIAL]
    for t in range(STEPS):
        for p, target in zip(parameters, TARGET):
            p -= config["learningRate"] * factor(t) * p * (p - target)
        yield parameters


def flat(parameters):
    return [float(f"{x:.12g}") for p in parameters for x in p.ravel()]


cases = []
for config in [
    {"kind": "adam", "learningRate": 0.05, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    {"kind": "adam", "learningRate": 0.05, "beta1": 0.5, "beta2": 0.99, "epsilon": 0.1},
    {"kind": "adam", "learningRate": 0.01, "beta1": 0, "beta2": 0, "epsilon": 0.01},
    {"kind": "sgd", "learningRate": 0.02},
]:
    for schedule, factor in SCHEDULES.items():
        steps = [flat(p) for p in (adam if config["kind"] == "adam" else sgd)(config, factor)]
        case = {"config": config, "schedule": schedule, "steps": steps}
        if config["kind"] == "adam":
            case["paperForm"] = [flat(p) for p in adam(config, factor, paper_form=True)][-1]
        cases.append(case)

shapes = [list(p.shape) for p in INITIAL]
expected = {"shapes": shapes, "initial": flat(INITIAL), "target": flat(TARGET), "cases": cases}
(Path(__file__).parent / "optimizers.json").write_text(json.dumps(expected) + "\n")
