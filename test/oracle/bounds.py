"""Writes bounds.json: the two bounds, their gradients, the moving average and a held-out read-out, in float64.

python bounds.py     (numpy==2.4.6, scipy==1.17.1)

Gradients are derivatives with respect to the statistics network's outputs. The influence of a pair on a read-out is the
derivative with respect to its weight, by central differences.
"""

import json
from pathlib import Path

import numpy as np
from scipy.special import logsumexp, softmax

rng = np.random.default_rng(1)


def log_mean_exp(t):
    return float(logsumexp(t) - np.log(t.size))


def donsker_varadhan(joint, marginal):
    return float(joint.mean() - log_mean_exp(marginal))


def f_divergence(joint, marginal):
    return float(joint.mean() - np.exp(marginal - 1).mean())


def outputs():
    yield "around zero", rng.normal(0.5, 1, 16), rng.normal(-0.5, 1, 16)
    yield "constant", np.full(16, 0.75), np.full(16, 0.75)
    yield "one pair holds the partition", rng.normal(2, 1, 16), np.concatenate([rng.normal(-4, 1, 15), [6.0]])
    yield "plus and minus 1000", rng.choice([-1000.0, 1000.0], 16), rng.choice([-1000.0, 1000.0], 16)
    yield "all at 1000", np.full(16, 1000.0), np.full(16, 1000.0) - np.arange(16) / 16
    yield "all at -1000", np.full(16, -1000.0), np.full(16, -1000.0) - np.arange(16) / 16


samples = []
for name, joint, marginal in outputs():
    # What TensorFlow gets is float32.
    joint, marginal = (t.astype(np.float32).astype(np.float64) for t in (joint, marginal))
    sample = {
        "name": name,
        "joint": joint.tolist(),
        "marginal": marginal.tolist(),
        "logMeanExp": log_mean_exp(marginal),
        "donskerVaradhan": donsker_varadhan(joint, marginal),
        "naiveGradient": {"joint": [-1 / 16] * 16, "marginal": softmax(marginal).tolist()},
    }
    if marginal.max() < 80:
        sample["fDivergence"] = f_divergence(joint, marginal)
        sample["fDivergenceGradient"] = (np.exp(marginal - 1) / 16).tolist()
    samples.append(sample)

# m starts with the first batch, then m <- (1 - rate) m + rate * batch.
rate = 0.1
batches, log_averages, gradients = [], [], []
average = None
for centre in (0.0, 1.5, -2.0, 0.5):
    t = rng.normal(centre, 1, 8).astype(np.float32).astype(np.float64)
    batch = np.exp(t).mean()
    average = batch if average is None else (1 - rate) * average + rate * batch
    batches.append(t.tolist())
    log_averages.append(float(np.log(average)))
    gradients.append((np.exp(t) / t.size / average).tolist())

# A read-out of two blocks; z is shifted within a block.
count, shifts = 12, (1, 4, 9)
tables = rng.normal(0, 1, (2, count, count)) + 1.5 * np.eye(count)


def read_out(weights, bound):
    joint = marginal = joint_weight = marginal_weight = 0
    for table, w in zip(tables, weights):
        joint += w @ np.diag(table)
        joint_weight += w.sum()
        for shift in shifts:
            pairs = w * np.roll(w, -shift)
            scores = table[np.arange(count), (np.arange(count) + shift) % count]
            marginal += pairs @ np.exp(scores if bound == "mine" else scores - 1)
            marginal_weight += pairs.sum()
    partition = marginal / marginal_weight
    return joint / joint_weight - (np.log(partition) if bound == "mine" else partition)


def influence(bound):
    ones = np.ones((2, count))
    values = np.zeros_like(ones)
    for index in np.ndindex(ones.shape):
        up, down = ones.copy(), ones.copy()
        up[index] += 1e-5
        down[index] -= 1e-5
        values[index] = (read_out(up, bound) - read_out(down, bound)) / 2e-5
    return values * ones.size


def standard_error(bound):
    """Every pair's influence once; the noise that a marginal pair brings enters the influences of both its examples."""
    scores = np.stack([[t[np.arange(count), (np.arange(count) + s) % count] for s in shifts] for t in tables])
    terms = np.exp(scores if bound == "mine" else scores - 1)
    if bound == "mine":
        terms = terms / terms.mean()
    influences = influence(bound).ravel()
    n = influences.size
    variance = np.sum((influences - influences.mean()) ** 2) / (n - 1)
    counted_twice = np.var(terms) / len(shifts) * n / (n - 1)
    return float(np.sqrt(max(variance - counted_twice, variance / 2) / n))


blocks = [
    {
        "joint": np.diag(t).tolist(),
        "marginal": [
            {"shift": s, "scores": t[np.arange(count), (np.arange(count) + s) % count].tolist()} for s in shifts
        ],
    }
    for t in tables
]
expected = {
    "samples": samples,
    "movingAverage": {"rate": rate, "batches": batches, "logAverages": log_averages, "gradients": gradients},
    "readOut": {
        "blocks": blocks,
        **{
            bound: {
                "estimate": float(read_out(np.ones((2, count)), bound)),
                "standardError": standard_error(bound),
            }
            for bound in ("mine", "mine-f")
        },
    },
}
(Path(__file__).parent / "bounds.json").write_text(json.dumps(expected, indent=1) + "\n")
