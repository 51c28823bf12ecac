"""Reads a run directory with nothing but public libraries and prints what it finds as JSON."""

import glob
import json
import os
import sys

import numpy
import pyarrow
import pyarrow.ipc
from safetensors import safe_open
from safetensors.numpy import load_file

run = sys.argv[1]
segments = []
for path in sorted(glob.glob(os.path.join(run, "metrics-*.arrow"))):
    table = pyarrow.ipc.open_stream(path).read_all()
    segments.append(
        {
            "names": table.column_names,
            "types": [str(kind) for kind in table.schema.types],
            "firstStep": table.schema.metadata[b"firstStep"].decode(),
            "steps": table["step"].to_pylist(),
            "nulls": {name: table[name].null_count for name in table.column_names},
            # repr: JSON has no NaN and no infinities.
            "lastRow": {name: repr(table[name][-1].as_py()) for name in table.column_names if table.num_rows},
        }
    )

checkpoint = sorted(glob.glob(os.path.join(run, "checkpoints", "*.safetensors")))[-1]
with safe_open(checkpoint, framework="numpy") as opened:
    metadata = opened.metadata()
variables = load_file(checkpoint)

points = numpy.load(sorted(glob.glob(os.path.join(run, "samples", "*.npy")))[-1])
with open(os.path.join(run, "events.jsonl")) as lines:
    events = [json.loads(line) for line in lines]

print(
    json.dumps(
        {
            "segments": segments,
            "metadata": metadata,
            "variables": {
                name: {"shape": list(value.shape), "dtype": str(value.dtype), "values": value.ravel().tolist()}
                for name, value in variables.items()
            },
            "points": {"shape": list(points.shape), "dtype": str(points.dtype), "first": points[0].tolist()},
            "events": [event["kind"] for event in events],
        }
    )
)
