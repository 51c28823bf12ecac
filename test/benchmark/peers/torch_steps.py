"""The benchmark's steps in PyTorch: the same arithmetic as `jax_steps.py`, eager and compiled."""

import math
import os

import torch
from torch.nn.functional import conv2d, leaky_relu, softplus

from initial_values import SPECIFICATIONS, gaussian_grid, images, initial_weights
from torch_adam import FusedAdam, TraceableAdam

BATCH_NORMALISATION_EPSILON = 1e-5
RUNNING_AVERAGE_RATE = 0.1


def dense_network(parameters, values, activation):
    last = len(parameters) - 2
    for layer in range(0, len(parameters), 2):
        values = torch.addmm(parameters[layer + 1], values, parameters[layer])
        if layer < last:
            values = activation(values)
    return values


def generator(parameters, running, values, leakiness, moves_averages):
    """The generated batch. May move the running averages, `[mean, variance]` per hidden layer."""
    for layer in range(len(running) // 2):
        weights, bias, gamma, beta = parameters[4 * layer : 4 * layer + 4]
        values = torch.addmm(bias, values, weights)
        variance, mean = torch.var_mean(values, 0, correction=0)
        if moves_averages:
            with torch.no_grad():
                for average, new in zip(running[2 * layer : 2 * layer + 2], (mean, variance)):
                    average.lerp_(new, RUNNING_AVERAGE_RATE)
        values = gamma * (values - mean) * torch.rsqrt(variance + BATCH_NORMALISATION_EPSILON) + beta
        values = leaky_relu(values, leakiness)
    return torch.addmm(parameters[-1], values, parameters[-2])


def log_mean_exp(values):
    return torch.logsumexp(values, 0) - math.log(values.numel())


def mine_loss(joint, marginal, log_average, rate):
    """Loss whose gradient has the moving average of E[exp T] in its denominator; the bound. Moves the log average."""
    with torch.no_grad():
        batch_average = log_mean_exp(marginal)
        log_average.copy_(torch.logaddexp(math.log1p(-rate) + log_average, math.log(rate) + batch_average))
        bound = joint.mean() - batch_average
    return torch.exp(marginal - log_average).mean() - joint.mean(), bound


def global_norm(gradients):
    return torch.sqrt(sum((gradient * gradient).sum() for gradient in gradients))


class MutualInformation:
    def __init__(self, specification, networks, adam):
        self.specification = specification
        self.parameters = networks["statistics_network"]
        self.adams = {"statistics_network": adam(self.parameters)}
        self.log_average = torch.zeros(())

    def draw(self):
        shape = (self.specification["batchSize"], self.specification["dimension"])
        rho = self.specification["correlation"]
        x = torch.randn(shape)
        return {
            "x": x,
            "z": rho * x + math.sqrt(1 - rho * rho) * torch.randn(shape),
            "marginal": torch.randn(shape),
        }

    def gradients(self, data):
        batch = self.specification["batchSize"]
        joint, marginal = (torch.cat([data["x"], data[name]], 1) for name in ("z", "marginal"))
        scores = dense_network(self.parameters, torch.cat([joint, marginal]), torch.relu)[:, 0]
        rate = self.specification["movingAverageRate"]
        loss, bound = mine_loss(scores[:batch], scores[batch:], self.log_average, rate)
        return torch.autograd.grad(loss, self.parameters), {"bound": bound}

    def update(self, data):
        gradients, metrics = self.gradients(data)
        self.adams["statistics_network"].descend(gradients)
        return metrics


class Gan:
    def __init__(self, specification, networks, adam):
        self.specification, self.networks = specification, networks
        self.adams = {name: adam(parameters) for name, parameters in networks.items()}
        self.running = [f(width) for width in specification["generatorHidden"] for f in (torch.zeros, torch.ones)]
        self.log_average = torch.zeros(())
        self.examples = torch.from_numpy(gaussian_grid(specification))

    def draw(self):
        batch, code = self.specification["batchSize"], self.specification["codeDimension"]
        latent = (batch, self.specification["noiseDimension"] + code)
        return {
            "real": self.examples[torch.randint(self.specification["examples"], (batch,))],
            "latent": torch.randn(latent),
            "marginal": torch.randn(batch, code),
            "generator_latent": torch.randn(latent),
            "generator_marginal": torch.randn(batch, code),
        }

    def scores(self, name, *batches):
        def activation(hidden):
            return leaky_relu(hidden, self.specification["leakiness"])

        return dense_network(self.networks[name], torch.cat(batches), activation)[:, 0]

    def pair_scores(self, generated, latent, marginal):
        joint = torch.cat([generated, latent[:, self.specification["noiseDimension"] :]], 1)
        both = self.scores("statistics_network", joint, torch.cat([generated, marginal], 1))
        return both[: len(generated)], both[len(generated) :]

    def generated(self, latent, moves_averages):
        leakiness = self.specification["leakiness"]
        return generator(self.networks["generator"], self.running, latent, leakiness, moves_averages)

    def discriminator_gradients(self, data):
        with torch.no_grad():
            generated = self.generated(data["latent"], moves_averages=False)
        both = self.scores("discriminator", data["real"], generated)
        loss = softplus(-both[: len(generated)]).mean() + softplus(both[len(generated) :]).mean()
        return torch.autograd.grad(loss, self.networks["discriminator"]), generated, loss.detach()

    def statistics_gradients(self, generated, data):
        joint, marginal = self.pair_scores(generated, data["latent"], data["marginal"])
        loss, bound = mine_loss(joint, marginal, self.log_average, self.specification["movingAverageRate"])
        return torch.autograd.grad(loss, self.networks["statistics_network"]), bound

    def generator_gradients(self, data):
        parameters = self.networks["generator"]
        generated = self.generated(data["generator_latent"], moves_averages=True)
        loss = softplus(-self.scores("discriminator", generated)).mean()
        joint, marginal = self.pair_scores(generated, data["generator_latent"], data["generator_marginal"])
        adversarial = torch.autograd.grad(loss, parameters, retain_graph=True)
        informing = torch.autograd.grad(log_mean_exp(marginal) - joint.mean(), parameters)
        norm_u, norm_m = global_norm(adversarial), global_norm(informing)
        scale = self.specification["mutualInformationWeight"] * torch.minimum(norm_u, norm_m) / norm_m
        gradients = [u + scale * m for u, m in zip(adversarial, informing)]
        return gradients, {"generator": loss.detach(), "norm_u": norm_u, "norm_m": norm_m}

    def update(self, data):
        gradients, generated, loss_d = self.discriminator_gradients(data)
        self.adams["discriminator"].descend(gradients)
        gradients, bound = self.statistics_gradients(generated, data)
        self.adams["statistics_network"].descend(gradients)
        gradients, metrics = self.generator_gradients(data)
        self.adams["generator"].descend(gradients)
        return {**metrics, "discriminator": loss_d, "bound": bound}


def convolution_layout(parameter):
    """`[height, width, inputs, outputs]` -> `[outputs, inputs, height, width]`, channels last in memory."""
    parameter = parameter.detach()
    if parameter.dim() != 4:
        return parameter
    return parameter.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)


class DcganDiscriminator:
    """Kernels are held as `[outputs, inputs, height, width]` and images as `[batch, channels, ...]`, channels last."""

    def __init__(self, specification, networks, adam):
        self.specification = specification
        self.parameters = [convolution_layout(parameter).requires_grad_() for parameter in networks["discriminator"]]
        batch = torch.from_numpy(images(specification)).permute(0, 3, 1, 2)
        self.images = batch.contiguous(memory_format=torch.channels_last)

    def draw(self):
        return {"images": self.images}

    def gradients(self, data):
        values, half = data["images"], self.specification["kernelSize"] // 2
        for layer in range(0, len(self.parameters) - 2, 2):
            values = conv2d(values, self.parameters[layer], self.parameters[layer + 1], stride=2, padding=half)
            values = leaky_relu(values, self.specification["leakiness"])
        flat = values.permute(0, 2, 3, 1).reshape(len(values), -1)
        loss = softplus(-torch.addmm(self.parameters[-1], flat, self.parameters[-2])).mean()
        return torch.autograd.grad(loss, self.parameters), loss.detach()

    def update(self, data):
        gradients, loss = self.gradients(data)
        return {"loss": loss, "norm": global_norm(gradients)}


KINDS = {"mutual-information": MutualInformation, "gan": Gan, "dcgan-discriminator": DcganDiscriminator}
VARIANTS = ("eager", "compile", "compile-gradients")


def built(specification, adam_class, weights):
    networks = {
        name: [torch.from_numpy(array).requires_grad_() for array in arrays] for name, arrays in weights.items()
    }
    return KINDS[specification["kind"]](
        specification,
        networks,
        lambda parameters: adam_class(parameters, specification["learningRate"], specification["beta1"]),
    )


def prepared(step_name, variant):
    """A function `run(iterations)` that trains and returns the last metrics as floats.

    `compile` compiles the whole step, data and Adam included, as one graph; `compile-gradients` compiles the data and
    each gradient and calls PyTorch's fused Adam between them, as most code bases do.
    """
    specification = SPECIFICATIONS[step_name]
    step = built(specification, TraceableAdam if variant == "compile" else FusedAdam, initial_weights(specification))

    def advance():
        return step.update(step.draw())

    if variant == "compile":
        advance = compiled(advance, specification["kind"])
    elif variant == "compile-gradients":
        for name in ("draw", "gradients", "discriminator_gradients", "statistics_gradients", "generator_gradients"):
            if hasattr(step, name):
                setattr(step, name, compiled(getattr(step, name), specification["kind"]))

    def run(iterations):
        for _ in range(iterations):
            metrics = advance()
        return iterations, {name: float(value) for name, value in metrics.items()}

    return run


def compiled(function, kind):
    # Without it, a call of torch.autograd.grad ends the compiled region.
    torch._dynamo.config.trace_autograd_ops = True
    return torch.compile(function, fullgraph=True, options=COMPILE_OPTIONS[kind])


# The fastest of the ways tried on a CPU (default, max-autotune, C++ wrapper instead of Inductor's Python driver, PyTorch's
# own random numbers instead of Inductor's).
COMPILE_OPTIONS = {
    "mutual-information": {"cpp_wrapper": True, "fallback_random": True},
    "gan": {"cpp_wrapper": True},
    "dcgan-discriminator": {"cpp_wrapper": True},
}

torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


def versions():
    return {"torch": torch.__version__}
