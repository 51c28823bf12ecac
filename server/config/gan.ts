import { z } from 'zod';
import {
  batchSize,
  bound,
  checkpoint,
  execution,
  iterations,
  layerWidths,
  movingAverageRate,
  name,
  optimizer,
  seed,
} from './common';

const examples = z
  .int()
  .min(100)
  .max(10_000_000)
  .default(100_000)
  .describe('Points drawn once from the target. The paper uses 100,000.');
const standardDeviation = z
  .number()
  .positive()
  .max(10)
  .default(0.05)
  .describe('Standard deviation of the noise around each mode or around the curve.');

export const gaussianGrid = z.strictObject({
  kind: z.literal('gaussian-grid').describe('side x side Gaussians on a square grid; 25 in the paper (section 5.2).'),
  examples,
  standardDeviation,
  side: z.int().min(2).max(32).default(5).describe('Modes along one side of the grid.'),
  spacing: z.number().positive().max(100).default(2).describe('Distance of neighbouring modes.'),
});

export const spiral = z.strictObject({
  kind: z.literal('spiral').describe('A spiral with additive Gaussian noise (paper, section 5.2).'),
  examples,
  standardDeviation,
  cycles: z.number().positive().max(10).default(1).describe('Turns of the spiral.'),
  arms: z.int().min(1).max(10).default(1).describe('Number of arms.'),
});

export const ganConfig = z
  .strictObject({
    $schema: z.string().optional().describe('JSON Schema of this file, for editors.'),
    experiment: z
      .literal('gan')
      .describe('A GAN whose generator also maximises I(G([noise, code]); code) (paper, section 5.2).'),
    name,
    seed,
    data: z.discriminatedUnion('kind', [gaussianGrid, spiral]).prefault({ kind: 'gaussian-grid' }),
    generator: z
      .strictObject({
        hidden: layerWidths.default([500, 500]),
        noiseDimension: z.int().min(0).max(4096).default(2).describe('Dimension of the noise part of the prior.'),
        codeDimension: z
          .int()
          .min(1)
          .max(4096)
          .default(2)
          .describe('Dimension of the code, the part whose information the MI term keeps.'),
        prior: z
          .enum(['normal', 'uniform'])
          .default('normal')
          .describe('Distribution of noise and code: N(0, I) or U(-1, 1).'),
        code: z
          .enum(['continuous', 'categorical'])
          .default('continuous')
          .describe(
            'continuous: the code is drawn as the noise. categorical: one of codeDimension equally likely values, as a one-hot vector; its information is at most ln(codeDimension), so the MI term is satisfied once the values can be told apart.',
          ),
        batchNormalization: z.boolean().default(true).describe('Batch normalisation after each hidden layer.'),
        leakiness: z.number().min(0).max(1).default(0.2).describe('Slope of LeakyReLU for negative inputs.'),
        weightAveraging: z
          .number()
          .min(0)
          .max(0.99999)
          .default(0)
          .describe(
            'Decay of the moving average of the weights that samples are drawn with. 0: the weights themselves.',
          ),
      })
      .prefault({}),
    discriminator: z
      .strictObject({
        hidden: layerWidths.default([400, 400, 400]),
        leakiness: z.number().min(0).max(1).default(0.2).describe('Slope of LeakyReLU.'),
      })
      .prefault({}),
    statisticsNetwork: z
      .strictObject({
        hidden: layerWidths.default([400, 400, 400]),
        leakiness: z.number().min(0).max(1).default(0.2).describe('Slope of LeakyReLU.'),
      })
      .prefault({}),
    training: z
      .strictObject({
        iterations: iterations.default(5000),
        batchSize: batchSize.default(100).describe('Examples, and generated points, per step.'),
        optimizer: optimizer
          .prefault({ kind: 'adam', learningRate: 1e-4, beta1: 0.5 })
          .describe('The optimiser of the generator, and of each network that has none of its own here.'),
        discriminatorOptimizer: optimizer
          .optional()
          .describe("The discriminator's optimiser; left out: as the generator's."),
        statisticsNetworkOptimizer: optimizer
          .optional()
          .describe("The statistics network's optimiser; left out: as the generator's."),
        learningRateSchedule: z
          .enum(['constant', 'linear', 'cosine'])
          .default('constant')
          .describe('How all learning rates fall to zero over the run, if at all.'),
        discriminatorSteps: z.int().min(1).max(100).default(1).describe('Discriminator steps per iteration.'),
        statisticsNetworkSteps: z.int().min(1).max(100).default(1).describe('Statistics network steps per iteration.'),
      })
      .prefault({}),
    mutualInformation: z
      .strictObject({
        weight: z
          .number()
          .min(0)
          .max(1000)
          .default(1)
          .describe(
            'beta, the weight of the MI term. 0 is the plain GAN; the statistics network is still trained, to measure.',
          ),
        bound,
        movingAverageRate,
        clipping: z
          .enum(['adaptive', 'none'])
          .default('adaptive')
          .describe(
            'adaptive: the norm of the MI gradient is at most that of the adversarial one (paper, equation 21).',
          ),
      })
      .prefault({}),
    evaluation: z
      .strictObject({
        every: z.int().min(1).max(1_000_000).default(100).describe('Iterations between evaluations.'),
        samples: z
          .int()
          .min(100)
          .max(1_000_000)
          .default(2500)
          .describe('Points from fixed noise that modes and KL are computed from. The protocol uses 2,500.'),
        heldOutSamples: z
          .int()
          .min(100)
          .max(100_000)
          .default(500)
          .describe(
            'Fresh generated pairs per held-out read-out of the MI while training; the final one takes 20 times as many.',
          ),
        permutations: z
          .int()
          .min(1)
          .max(1000)
          .default(10)
          .describe('Shifts of the code over which the partition is averaged in a read-out.'),
      })
      .prefault({}),
    checkpoint,
    execution,
  })
  .describe('A GAN with the MINE term.');

export type GanConfig = z.infer<typeof ganConfig>;
