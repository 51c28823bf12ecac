"""Writes mode-coverage.json: samples and what NumPy makes of them on the paper's grid of 25 Gaussians.

python mode_coverage.py     (numpy==2.4.6, scipy==1.17.1)
"""

import json
from pathlib import Path

import numpy as np
from scipy.spatial.distance import cdist, jensenshannon
from scipy.stats import entropy

deviation = 0.05
means = np.array([(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)], dtype=float)
rng = np.random.default_rng(1)


def around(modes, spread, n):
    return means[rng.choice(modes, n)] + spread * rng.normal(size=(n, 2))


def samples():
    yield "perfect", around(25, deviation, 600)
    yield "one mode", around([12], deviation, 200)
    yield "three modes, too wide", around([0, 7, 24], 3 * deviation, 300)
    yield "half of them between the modes", np.vstack([around(25, deviation, 150), rng.uniform(-5, 5, (150, 2))])
    yield "all far away", np.full((50, 2), 100.0)
    # 16 is nearest to two far points and to nothing good: nearest is not captured.
    yield "a mode that only bad samples are near", np.vstack([around([3, 4], deviation, 98), means[[16, 16]] + 0.5])


expected = []
for name, points in samples():
    points = points.astype(np.float32)
    distances = cdist(points.astype(np.float64), means)
    nearest = distances.argmin(1)
    good = distances.min(1) < 3 * deviation
    shares = np.bincount(nearest, minlength=25) / len(points)
    expected.append(
        {
            "name": name,
            "points": [round(float(v), 7) for v in points.ravel()],
            "modesCaptured": len(np.unique(nearest[good])),
            "highQualityShare": float(good.mean()),
            "reverseKl": float(entropy(shares, np.full(25, 1 / 25))),
            "jensenShannon": float(jensenshannon(shares, np.full(25, 1 / 25)) ** 2),
        }
    )
lines = ",\n".join(json.dumps(sample) for sample in expected)
(Path(__file__).parent / "mode-coverage.json").write_text(f"[\n{lines}\n]\n")
