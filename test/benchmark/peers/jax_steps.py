"""The benchmark's steps in JAX and optax. Each step draws its data, so only the state goes in and out."""

import math

import jax
import jax.numpy as jnp
import optax

from initial_values import SPECIFICATIONS, gaussian_grid, images, initial_weights

BATCH_NORMALISATION_EPSILON = 1e-5
RUNNING_AVERAGE_RATE = 0.1


def dense_network(parameters, values, activation):
    last = len(parameters) - 2
    for layer in range(0, len(parameters), 2):
        values = values @ parameters[layer] + parameters[layer + 1]
        if layer < last:
            values = activation(values)
    return values


def generator(parameters, running, values, leakiness):
    """The generated batch, and the running averages after it. `running` is `[mean, variance]` per hidden layer."""
    updated = []
    for layer in range(len(running) // 2):
        weights, bias, gamma, beta = parameters[4 * layer : 4 * layer + 4]
        values = values @ weights + bias
        mean, variance = values.mean(0), values.var(0)
        for average, new in zip(running[2 * layer : 2 * layer + 2], (mean, variance)):
            updated.append(average + RUNNING_AVERAGE_RATE * (jax.lax.stop_gradient(new) - average))
        values = gamma * (values - mean) * jax.lax.rsqrt(variance + BATCH_NORMALISATION_EPSILON) + beta
        values = jax.nn.leaky_relu(values, leakiness)
    return values @ parameters[-2] + parameters[-1], updated


def log_mean_exp(values):
    return jax.nn.logsumexp(values) - math.log(values.size)


def donsker_varadhan(joint, marginal):
    return joint.mean() - log_mean_exp(marginal)


def mine_loss(joint, marginal, log_average, rate):
    """Loss whose gradient has the moving average of E[exp T] in its denominator; the bound; the new log average."""
    batch_average = jax.lax.stop_gradient(log_mean_exp(marginal))
    log_average = jnp.logaddexp(math.log1p(-rate) + log_average, math.log(rate) + batch_average)
    return jnp.exp(marginal - log_average).mean() - joint.mean(), (joint.mean() - batch_average, log_average)


def adam_of(specification):
    return optax.adam(specification["learningRate"], b1=specification["beta1"])


def with_optimiser(specification, parameters):
    return {"parameters": parameters, "adam": adam_of(specification).init(parameters)}


def descended(specification, network, gradients):
    updates, state = adam_of(specification).update(gradients, network["adam"])
    return {"parameters": optax.apply_updates(network["parameters"], updates), "adam": state}


class MutualInformation:
    def __init__(self, specification):
        self.specification = specification

    def initial_state(self, weights, key):
        network = with_optimiser(self.specification, weights["statistics_network"])
        return {"statistics_network": network, "log_average": jnp.zeros(()), "key": key}

    def draw(self, key, state):
        shape = (self.specification["batchSize"], self.specification["dimension"])
        rho = self.specification["correlation"]
        x, noise, marginal = (jax.random.normal(part, shape) for part in jax.random.split(key, 3))
        return {"x": x, "z": rho * x + math.sqrt(1 - rho * rho) * noise, "marginal": marginal}

    def update(self, state, data):
        rate, batch = self.specification["movingAverageRate"], self.specification["batchSize"]
        joint, marginal = (jnp.concatenate([data["x"], data[name]], 1) for name in ("z", "marginal"))

        def loss(parameters):
            scores = dense_network(parameters, jnp.concatenate([joint, marginal]), jax.nn.relu)[:, 0]
            return mine_loss(scores[:batch], scores[batch:], state["log_average"], rate)

        network = state["statistics_network"]
        gradients, (bound, log_average) = jax.grad(loss, has_aux=True)(network["parameters"])
        network = descended(self.specification, network, gradients)
        return {**state, "statistics_network": network, "log_average": log_average}, {"bound": bound}


class Gan:
    def __init__(self, specification):
        self.specification = specification

    def initial_state(self, weights, key):
        networks = {name: with_optimiser(self.specification, arrays) for name, arrays in weights.items()}
        running = [f(width) for width in self.specification["generatorHidden"] for f in (jnp.zeros, jnp.ones)]
        examples = jnp.asarray(gaussian_grid(self.specification))
        return {**networks, "running": running, "log_average": jnp.zeros(()), "examples": examples, "key": key}

    def draw(self, key, state):
        batch, code = self.specification["batchSize"], self.specification["codeDimension"]
        parts = jax.random.split(key, 5)
        latent = (batch, self.specification["noiseDimension"] + code)
        rows = jax.random.randint(parts[0], (batch,), 0, self.specification["examples"])
        return {
            "real": state["examples"][rows],
            "latent": jax.random.normal(parts[1], latent),
            "marginal": jax.random.normal(parts[2], (batch, code)),
            "generator_latent": jax.random.normal(parts[3], latent),
            "generator_marginal": jax.random.normal(parts[4], (batch, code)),
        }

    def update(self, state, data):
        specification, leakiness = self.specification, self.specification["leakiness"]
        batch, noise = specification["batchSize"], specification["noiseDimension"]

        def scores(parameters, *batches):
            values = jnp.concatenate(batches)
            return dense_network(parameters, values, lambda hidden: jax.nn.leaky_relu(hidden, leakiness))[:, 0]

        def pair_scores(parameters, generated, latent, marginal):
            joint = jnp.concatenate([generated, latent[:, noise:]], 1)
            both = scores(parameters, joint, jnp.concatenate([generated, marginal], 1))
            return both[:batch], both[batch:]

        generated, running = generator(state["generator"]["parameters"], state["running"], data["latent"], leakiness)

        def discriminator_loss(parameters):
            both = scores(parameters, data["real"], generated)
            return jax.nn.softplus(-both[:batch]).mean() + jax.nn.softplus(both[batch:]).mean()

        discriminator = state["discriminator"]
        loss_d, gradients = jax.value_and_grad(discriminator_loss)(discriminator["parameters"])
        discriminator = descended(specification, discriminator, gradients)

        def statistics_loss(parameters):
            joint, marginal = pair_scores(parameters, generated, data["latent"], data["marginal"])
            return mine_loss(joint, marginal, state["log_average"], specification["movingAverageRate"])

        statistics_network = state["statistics_network"]
        gradients, (bound, log_average) = jax.grad(statistics_loss, has_aux=True)(statistics_network["parameters"])
        statistics_network = descended(specification, statistics_network, gradients)

        latent = data["generator_latent"]
        generated, pull_back, running = jax.vjp(
            lambda parameters: generator(parameters, state["running"], latent, leakiness),
            state["generator"]["parameters"],
            has_aux=True,
        )
        loss_g, to_fool = jax.value_and_grad(
            lambda points: jax.nn.softplus(-scores(discriminator["parameters"], points)).mean()
        )(generated)
        to_inform = jax.grad(
            lambda points: (
                -donsker_varadhan(
                    *pair_scores(statistics_network["parameters"], points, latent, data["generator_marginal"])
                )
            )
        )(generated)
        (adversarial,), (informing,) = pull_back(to_fool), pull_back(to_inform)
        norm_u, norm_m = optax.global_norm(adversarial), optax.global_norm(informing)
        scale = specification["mutualInformationWeight"] * jnp.minimum(norm_u, norm_m) / norm_m
        gradients = jax.tree.map(lambda u, m: u + scale * m, adversarial, informing)
        state = {
            **state,
            "generator": descended(specification, state["generator"], gradients),
            "discriminator": discriminator,
            "statistics_network": statistics_network,
            "running": running,
            "log_average": log_average,
        }
        metrics = {"discriminator": loss_d, "generator": loss_g, "bound": bound, "norm_u": norm_u, "norm_m": norm_m}
        return state, metrics


class DcganDiscriminator:
    def __init__(self, specification):
        self.specification = specification

    def initial_state(self, weights, key):
        batch = jnp.asarray(images(self.specification))
        return {"discriminator": weights["discriminator"], "images": batch, "key": key}

    def draw(self, key, state):
        return {"images": state["images"]}

    def gradients(self, parameters, batch):
        def loss(parameters):
            values = batch
            half = self.specification["kernelSize"] // 2
            for layer in range(0, len(parameters) - 2, 2):
                values = jax.lax.conv_general_dilated(
                    values, parameters[layer], (2, 2), [(half, half)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC")
                )
                values = jax.nn.leaky_relu(values + parameters[layer + 1], self.specification["leakiness"])
            scores = values.reshape(len(values), -1) @ parameters[-2] + parameters[-1]
            return jax.nn.softplus(-scores).mean()

        return jax.value_and_grad(loss)(parameters)

    def update(self, state, data):
        loss, gradients = self.gradients(state["discriminator"], data["images"])
        return state, {"loss": loss, "norm": optax.global_norm(gradients)}


KINDS = {"mutual-information": MutualInformation, "gan": Gan, "dcgan-discriminator": DcganDiscriminator}
STEPS_PER_SCAN = 20


def prepared(step_name, variant):
    """A function `run(iterations)` that trains and returns the last metrics as floats.

    `jit` calls one jitted step per iteration; `scan` runs STEPS_PER_SCAN iterations in one call, and rounds up to that.
    """
    specification = SPECIFICATIONS[step_name]
    step = KINDS[specification["kind"]](specification)
    weights = {name: [jnp.asarray(a) for a in arrays] for name, arrays in initial_weights(specification).items()}
    state = step.initial_state(weights, jax.random.key(0))

    def one(state, _=None):
        key, draw_key = jax.random.split(state["key"])
        return step.update({**state, "key": key}, step.draw(draw_key, state))

    def many(state):
        state, metrics = jax.lax.scan(one, state, length=STEPS_PER_SCAN)
        return state, jax.tree.map(lambda values: values[-1], metrics)

    advance = jax.jit(many if variant == "scan" else one, donate_argnums=0)
    steps_per_call = STEPS_PER_SCAN if variant == "scan" else 1

    def run(iterations):
        nonlocal state
        calls = -(-iterations // steps_per_call)
        for _ in range(calls):
            state, metrics = advance(state)
        jax.block_until_ready((state, metrics))
        return calls * steps_per_call, {name: float(value) for name, value in metrics.items()}

    return run


VARIANTS = ("jit", "scan")


def versions():
    return {"jax": jax.__version__, "optax": optax.__version__}
