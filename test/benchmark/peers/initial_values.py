"""Initial weights and data, in NumPy, so that every peer starts from the same numbers."""

import itertools
import json
import math
from pathlib import Path

import numpy as np

SPECIFICATIONS = json.loads((Path(__file__).parent.parent / "steps.json").read_text())


def dense_weights(random, widths):
    """`[W, b, W, b, ...]` for the layer widths, `W` of shape `[inputs, outputs]`, uniform in +-1/sqrt(inputs)."""
    arrays = []
    for inputs, outputs in itertools.pairwise(widths):
        limit = 1 / math.sqrt(inputs)
        arrays += [random.uniform(-limit, limit, (inputs, outputs)), np.zeros(outputs)]
    return [array.astype(np.float32) for array in arrays]


def generator_weights(random, widths):
    """`[W, b, gamma, beta]` per hidden layer (batch normalised), then `[W, b]` of the output layer."""
    dense = dense_weights(random, widths)
    arrays = []
    for layer, outputs in enumerate(widths[1:-1]):
        arrays += dense[2 * layer : 2 * layer + 2] + [np.ones(outputs, np.float32), np.zeros(outputs, np.float32)]
    return arrays + dense[-2:]


def convolution_weights(random, specification):
    """`[kernel, bias]` per layer, kernel `[height, width, inputs, outputs]`, then `[W, b]` of the final unit."""
    kernel, size, arrays = specification["kernelSize"], specification["size"], []
    channels = [specification["channels"], *specification["filters"]]
    for inputs, outputs in itertools.pairwise(channels):
        arrays += [random.normal(0, 0.02, (kernel, kernel, inputs, outputs)), np.zeros(outputs)]
        size = -(-size // 2)
    arrays += [random.normal(0, 0.02, (size * size * channels[-1], 1)), np.zeros(1)]
    return [array.astype(np.float32) for array in arrays]


def initial_weights(specification, seed=1):
    """Network name -> its parameter arrays."""
    random = np.random.default_rng(seed)
    if specification["kind"] == "mutual-information":
        widths = [2 * specification["dimension"], *specification["hidden"], 1]
        return {"statistics_network": dense_weights(random, widths)}
    if specification["kind"] == "dcgan-discriminator":
        return {"discriminator": convolution_weights(random, specification)}
    code = specification["codeDimension"]
    return {
        "generator": generator_weights(
            random, [specification["noiseDimension"] + code, *specification["generatorHidden"], 2]
        ),
        "discriminator": dense_weights(random, [2, *specification["discriminatorHidden"], 1]),
        "statistics_network": dense_weights(random, [2 + code, *specification["statisticsNetworkHidden"], 1]),
    }


def gaussian_grid(specification, seed=2):
    """The stored examples `[examples, 2]`: side x side Gaussians on a square grid around the origin."""
    random = np.random.default_rng(seed)
    cells = random.integers(0, specification["side"], (specification["examples"], 2))
    centres = (cells - (specification["side"] - 1) / 2) * specification["spacing"]
    return (centres + specification["standardDeviation"] * random.standard_normal(centres.shape)).astype(np.float32)


def images(specification, seed=3):
    """One batch of images `[batch, size, size, channels]` in -1 .. 1."""
    size, batch = specification["size"], specification["batchSize"]
    random = np.random.default_rng(seed)
    return random.uniform(-1, 1, (batch, size, size, specification["channels"])).astype(np.float32)
