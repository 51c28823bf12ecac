"""Writes array-files/: small files as NumPy and pandas write them, and expected.json, what they hold row by row.

python array_files.py     (numpy==2.4.6, pandas==3.1.1)
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

folder = Path(__file__).parent / "array-files"
folder.mkdir(exist_ok=True)
expected = {}


def save(name, array, version=None):
    with open(folder / name, "wb") as file:
        np.lib.format.write_array(file, array, version=version)
    if array.ndim and array.size and array.dtype.kind in "biuf":
        rows = array.reshape(array.shape[0], -1).astype(float)
        if np.isfinite(rows).all():
            expected[name] = rows.tolist()


rng = np.random.default_rng(1)
table = rng.normal(size=(5, 3))
for kind in ["<f8", ">f8", "<f4", ">f4", "<f2", ">f2"]:
    save(f"{'little' if kind[0] == '<' else 'big'}-{kind[1:]}.npy", table.astype(kind))
for kind in ["b1", "i1", "u1", "<i2", ">u2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8"]:
    save(f"integer-{kind.replace('<', 'little-').replace('>', 'big-')}.npy", (table * 40).astype("i8").astype(kind))
save("fortran.npy", np.asfortranarray(table))
save("fortran-3d.npy", np.asfortranarray(rng.normal(size=(4, 2, 3))))
save("images.npy", np.arange(24, dtype="u1").reshape(4, 2, 3))
save("one-axis.npy", table[:, 0])
save("version-2.npy", table, (2, 0))
save("version-3.npy", table, (3, 0))
save("small-halves.npy", np.array([[6e-8], [1e-5], [65504], [-0.0]], "f2"))
save("nan.npy", np.array([[1, 2], [3, np.nan]]))
save("infinite.npy", np.asfortranarray(np.array([[1, 2], [3, 4], [-np.inf, 6]])))
save("complex.npy", table.astype(complex))
save("text.npy", np.array([["a", "b"]]))
save("structured.npy", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]))
save("scalar.npy", np.array(1.0))
save("no-rows.npy", np.zeros((0, 3)))

frame = pd.DataFrame(table, columns=["height", "weight, kg", 'the "third"'])
texts = {
    "pandas.csv": frame.to_csv(index=False),
    "pandas-index.csv": frame.to_csv(),
    "pandas.tsv": frame.to_csv(index=False, sep="\t"),
    "pandas-semicolon.csv": frame.to_csv(index=False, sep=";", decimal=","),
    "no-header.csv": frame.to_csv(index=False, header=False),
    "windows.csv": "\ufeff" + frame.to_csv(index=False, lineterminator="\r\n", quoting=1),
}
for name, text in texts.items():
    (folder / name).write_bytes(text.encode("utf-8"))
    expected[name] = table.tolist()
(folder / "missing.csv").write_text(pd.DataFrame({"a": [1, 2, 3], "b": [4, np.nan, 6]}).to_csv(index=False))
(folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
