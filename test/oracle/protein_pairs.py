"""Writes protein-pairs.json: scikit-learn's nearest-neighbour mutual information (k = 3, nats) of every pair of the
11 proteins of Sachs et al. (2005), mean and standard deviation over 5 seeds of its tie-breaking noise.

python protein_pairs.py cyto_full_data.csv     (numpy==2.4.6, scikit-learn==1.9.1, pandas==3.1.1)
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_selection import mutual_info_regression

table = pd.read_csv(sys.argv[1])
pairs = []
for a, b in itertools.combinations(table.columns, 2):
    values = [mutual_info_regression(table[[a]], table[b], random_state=seed)[0] for seed in range(5)]
    pairs.append(
        {
            "pair": [a, b],
            "mean": round(float(np.mean(values)), 6),
            "standardDeviation": round(float(np.std(values)), 6),
        }
    )
(Path(__file__).parent / "protein-pairs.json").write_text(json.dumps(pairs, indent=1) + "\n")
