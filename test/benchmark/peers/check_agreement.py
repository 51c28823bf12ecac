"""Do the peers compute the same? Same weights and data into JAX and PyTorch; prints deviations, exits 1 if they differ.

In float64, where rounding cannot hide a difference of arithmetic, three updates in a row; in float32, as timed, one.
Compared are the metrics, Adam's first moments (the gradients, scaled) relative to the largest of their network, and the
parameters in units of the learning rate. JAX is held against PyTorch eager (PyTorch's Adam) and compiled (own Adam).
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import torch

import jax_steps
import torch_steps
from initial_values import SPECIFICATIONS, gaussian_grid, images, initial_weights

UPDATES = {"float64": 3, "float32": 1}
TOLERANCE = {"float64": 1e-8, "float32": 1e-4}
# Adam divides by the root of the second moment: where a gradient is rounding noise, the direction of its step is too.
PARAMETER_TOLERANCE = {"float64": 1e-4, "float32": 1e-2}

EAGER = ("eager", torch_steps.FusedAdam, lambda function, kind: function)
COMPILED = ("compiled", torch_steps.TraceableAdam, torch_steps.compiled)
# torch.compile of PyTorch 2.13 is off by 1 % on a CPU in float64, which the benchmark does not use.
VARIANTS = {"float64": (EAGER,), "float32": (EAGER, COMPILED)}


def given_data(specification, precision, random):
    batch = specification["batchSize"]
    if specification["kind"] == "dcgan-discriminator":
        return {"images": images(specification).astype(precision)}
    if specification["kind"] == "mutual-information":
        shapes = {name: (batch, specification["dimension"]) for name in ("x", "z", "marginal")}
    else:
        code = specification["codeDimension"]
        latent = (batch, specification["noiseDimension"] + code)
        shapes = {"latent": latent, "marginal": (batch, code)}
        shapes |= {f"generator_{name}": shape for name, shape in shapes.items()}
    data = {name: random.standard_normal(shape).astype(precision) for name, shape in shapes.items()}
    if specification["kind"] == "gan":
        data["real"] = gaussian_grid(specification)[:batch].astype(precision)
    return data


def weights_of(specification, precision):
    return {
        name: [array.astype(precision) for array in arrays] for name, arrays in initial_weights(specification).items()
    }


def jax_results(specification, precision, batches):
    """`(group, network, name)` -> array."""
    step = jax_steps.KINDS[specification["kind"]](specification)
    weights = jax.tree.map(jnp.asarray, weights_of(specification, precision))
    state = step.initial_state(weights, jax.random.key(0))
    results = {}
    for number, data in enumerate(batches):
        state, metrics = jax.jit(step.update)(state, data)
        results |= {("metric", "", f"{name} of update {number + 1}"): value for name, value in metrics.items()}
    for network in weights:
        if specification["kind"] == "dcgan-discriminator":
            add(results, "gradient", network, step.gradients(state[network], data["images"])[1])
        else:
            add(results, "gradient", network, state[network]["adam"][0].mu)
            add(results, "parameter", network, state[network]["parameters"])
    add(results, "running average", "generator", state.get("running", []))
    return {key: np.asarray(value) for key, value in results.items()}


def torch_results(specification, precision, batches, adam_class, wrap):
    step = torch_steps.built(specification, adam_class, weights_of(specification, precision))
    update = wrap(step.update, specification["kind"])
    results = {}
    for number, data in enumerate(batches):
        data = {name: torch.from_numpy(array) for name, array in data.items()}
        if "images" in data:
            data["images"] = data["images"].permute(0, 3, 1, 2)
        metrics = update(data)
        results |= {("metric", "", f"{name} of update {number + 1}"): value for name, value in metrics.items()}
    if specification["kind"] == "dcgan-discriminator":
        gradients = step.gradients(data)[0]
        in_jax_layout = [g.permute(2, 3, 1, 0) if g.dim() == 4 else g for g in gradients]
        add(results, "gradient", "discriminator", in_jax_layout)
    else:
        for network, adam in step.adams.items():
            add(results, "gradient", network, adam.first_moments())
            add(results, "parameter", network, adam.parameters)
    add(results, "running average", "generator", getattr(step, "running", []))
    return {key: value.detach().numpy() for key, value in results.items()}


def add(results, group, network, arrays):
    results |= {(group, network, f"number {index}"): array for index, array in enumerate(arrays)}


def deviations(specification, expected, actual):
    """`(group, network)` -> the worst deviation in it."""
    if expected.keys() != actual.keys():
        raise SystemExit(f"The peers return different things: {expected.keys() ^ actual.keys()}")
    worst = {}
    for group, network in dict.fromkeys(key[:2] for key in expected):
        keys = [key for key in expected if key[:2] == (group, network)]
        differences = [np.abs(expected[key] - actual[key]) for key in keys]
        if group == "parameter":
            worst[group, network] = max(d.mean() for d in differences) / specification["learningRate"]
        else:
            # A loss or bound near zero is the difference of larger numbers.
            least = 1 if group == "metric" else 0
            largest = max(least, *(np.abs(expected[key]).max() for key in keys))
            worst[group, network] = max(d.max() for d in differences) / largest
    return worst


def main():
    failed = False
    for step_name, specification in SPECIFICATIONS.items():
        for precision, updates in UPDATES.items():
            torch.set_default_dtype(getattr(torch, precision))
            random = np.random.default_rng(4)
            batches = [given_data(specification, precision, random) for _ in range(updates)]
            with jax.enable_x64(precision == "float64"):
                expected = jax_results(specification, precision, batches)
            for title, adam_class, wrap in VARIANTS[precision]:
                actual = torch_results(specification, precision, batches, adam_class, wrap)
                for (group, network), worst in deviations(specification, expected, actual).items():
                    bound = (PARAMETER_TOLERANCE if group == "parameter" else TOLERANCE)[precision]
                    # Written so that NaN fails.
                    verdict = "" if worst <= bound else "  <-- differs"
                    failed |= verdict != ""
                    what = f"{step_name:20} {precision} {title:8} {network:18} {group:15}"
                    print(f"{what} {worst:.1e}{verdict}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
