"""Writes nearest-neighbours/: small samples as .npy and expected.json, what scikit-learn and NumPy make of them.

python nearest_neighbours.py     (numpy==2.4.6, scipy==1.17.1, scikit-learn==1.9.1)

scikit-learn scales both variables to unit variance, adds noise of 1e-10 and clips at 0; values are in nats.
The Kraskov estimator in several dimensions is written as NPEET does it (first estimator, maximum norm, counts strictly
within), on columns of unit variance, without noise.
"""

import json
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma
from scipy.stats import norm
from sklearn.feature_selection import mutual_info_regression

folder = Path(__file__).parent / "nearest-neighbours"
folder.mkdir(exist_ok=True)


def kraskov(x, y, k):
    x, y = x / x.std(0), y / y.std(0)
    n = len(x)
    distance = cKDTree(np.hstack([x, y])).query(np.hstack([x, y]), k + 1, p=np.inf)[0][:, -1]
    inside = np.nextafter(distance, 0)
    counts = [cKDTree(a).query_ball_point(a, inside, p=np.inf, return_length=True) for a in (x, y)]
    return float(digamma(k) + digamma(n) - np.mean(digamma(counts[0]) + digamma(counts[1])))


def canonical_correlations(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return np.linalg.svd(np.linalg.qr(x)[0].T @ np.linalg.qr(y)[0], compute_uv=False)


def samples(rng):
    def gaussian(n, d, rho):
        x = rng.normal(size=(n, d))
        return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=(n, d))

    yield "gaussian", gaussian(400, 1, 0.9)
    yield "independent", gaussian(400, 1, 0.0)
    yield "scales", tuple(a * s for a, s in zip(gaussian(300, 1, 0.6), (1e-6, 1e5)))
    u = rng.uniform(-1, 1, size=(300, 1))
    yield "cube", (u, u**3 + 0.1 * rng.normal(size=u.shape))
    yield "heavy-tails", tuple(a / np.sqrt(rng.chisquare(1, size=(300, 1))) for a in gaussian(300, 1, 0.5))
    x = rng.normal(size=(300, 1))
    yield "far-from-zero", (1e6 + x, 1e6 + x + rng.normal(size=(300, 1)))
    yield "few", gaussian(12, 1, 0.8)
    yield "gaussian-3d", gaussian(400, 3, 0.7)
    x, y = gaussian(300, 2, 0.8)
    yield "mixed-dimensions", (np.hstack([x, rng.normal(size=(300, 1))]) * [1, 50, 3], y[:, :1])
    yield "gaussian-10d", gaussian(250, 10, 0.5)


expected = {}
for name, (x, y) in samples(np.random.default_rng(1)):
    np.save(folder / f"{name}.npy", np.hstack([x, y]))
    values = {
        "columnsX": x.shape[1],
        "kraskov": {k: kraskov(x, y, k) for k in (1, 3, 5)},
        "canonicalCorrelations": canonical_correlations(x, y).tolist(),
    }
    # scikit-learn's noise grows with the mean: far from zero it blurs the distances themselves.
    if x.shape[1] == y.shape[1] == 1 and name != "far-from-zero":
        values["scikitLearn"] = {
            k: float(mutual_info_regression(x, y[:, 0], n_neighbors=k, random_state=1)[0]) for k in (1, 3, 5)
        }
    expected[name] = values

# Rounded data: what ties give depends on the noise, so its spread over seeds is recorded.
x, y = (np.round(a, 1) for a in next(samples(np.random.default_rng(2)))[1])
np.save(folder / "rounded.npy", np.hstack([x, y]))
seeds = [float(mutual_info_regression(x, y[:, 0], random_state=seed)[0]) for seed in range(50)]
rounded = {"mean": float(np.mean(seeds)), "standardDeviation": float(np.std(seeds))}

points = [1e-3, 0.1, 0.5, 1, 1.5, 2, 3.25, 7.5, 8, 10, 100, 12345.5]
quantiles = [1e-6, 1e-3, 0.02, 0.0243, 0.3, 0.5, 0.77, 0.999]

functions = {
    "digamma": [[p, float(digamma(p))] for p in points],
    "normalQuantile": [[p, float(norm.ppf(p))] for p in quantiles],
}
(folder / "expected.json").write_text(
    json.dumps({"samples": expected, "rounded": rounded, **functions}, indent=1) + "\n"
)
