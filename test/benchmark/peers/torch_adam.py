"""Adam twice: PyTorch's own fused one for eager code, and the same arithmetic in plain operations for the compiler."""

import torch

EPSILON = 1e-8
BETA2 = 0.999


class FusedAdam:
    def __init__(self, parameters, learning_rate, beta1):
        self.parameters = parameters
        self.adam = torch.optim.Adam(parameters, lr=learning_rate, betas=(beta1, BETA2), eps=EPSILON, fused=True)

    def descend(self, gradients):
        for parameter, gradient in zip(self.parameters, gradients):
            parameter.grad = gradient
        self.adam.step()

    def first_moments(self):
        return [self.adam.state[parameter]["exp_avg"] for parameter in self.parameters]


class TraceableAdam:
    """A fused optimiser call is opaque to torch.compile; these operations become one loop per parameter."""

    def __init__(self, parameters, learning_rate, beta1):
        self.parameters, self.learning_rate, self.beta1 = parameters, learning_rate, beta1
        self.means = [torch.zeros_like(parameter) for parameter in parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in parameters]
        self.powers = torch.ones(2)
        self.betas = torch.tensor([beta1, BETA2])

    def descend(self, gradients):
        with torch.no_grad():
            self.powers.mul_(self.betas)
            scale = self.learning_rate * torch.sqrt(1 - self.powers[1]) / (1 - self.powers[0])
            epsilon = EPSILON * torch.sqrt(1 - self.powers[1])
            for parameter, mean, square, gradient in zip(self.parameters, self.means, self.squares, gradients):
                mean.lerp_(gradient, 1 - self.beta1)
                square.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
                parameter.sub_(scale * mean / (square.sqrt() + epsilon))

    def first_moments(self):
        return self.means
