"""One family of peers as a process: `serve.py jax|torch`. One JSON object a line on standard input and output.

{"step": "mi-20d", "variant": "jit", "iterations": 50, "groups": 3}
-> {"millisecondsPerStep": [8.9, 8.8, 8.9], "processorMillisecondsPerStep": 17.1, "metrics": {"bound": 0.12}}

The first request for a step prepares (compiles and warms up) it. Says hello with the versions and variants.
"""

import importlib
import json
import os
import sys
import time
import traceback

WARM_UP_STEPS = 3


def main(family):
    # Whatever a library prints must not tear the protocol.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    steps = importlib.import_module(f"{family}_steps")
    print(json.dumps({"versions": steps.versions(), "variants": steps.VARIANTS}), file=replies)
    runs = {}
    for line in sys.stdin:
        try:
            print(json.dumps(answer(json.loads(line), steps, runs)), file=replies)
        except Exception as error:  # a peer that cannot do one step still does the others
            traceback.print_exc()
            print(json.dumps({"error": f"{type(error).__name__}: {error}".splitlines()[0]}), file=replies)


def answer(request, steps, runs):
    name = (request["step"], request["variant"])
    if name not in runs:
        runs[name] = steps.prepared(*name)
        runs[name](WARM_UP_STEPS)
    run = runs[name]
    run(max(1, request["iterations"] // 5))
    milliseconds, total = [], 0
    processor_start = time.process_time()
    for _ in range(request["groups"]):
        start = time.perf_counter()
        iterations, metrics = run(request["iterations"])
        milliseconds.append((time.perf_counter() - start) / iterations * 1e3)
        total += iterations
    processor = (time.process_time() - processor_start) / total * 1e3
    return {"millisecondsPerStep": milliseconds, "processorMillisecondsPerStep": processor, "metrics": metrics}


if __name__ == "__main__":
    main(sys.argv[1])
