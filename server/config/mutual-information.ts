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
  .union([z.literal('unlimited'), z.int().min(50).max(10_000_000)])
  .default('unlimited')
  .describe(
    'unlimited: fresh pairs at every step and for every read-out. A number: that many pairs drawn once, the last fifth held out.',
  );

export const gaussianPairs = z.strictObject({
  kind: z
    .literal('gaussian')
    .describe('Two standard normal vectors, correlated coordinate by coordinate (paper, section 5.1, Fig. 1).'),
  dimension: z.int().min(1).max(1000).default(1).describe('Dimension of X and of Z.'),
  correlation: z
    .number()
    .gt(-1)
    .lt(1)
    .default(0.5)
    .describe('Correlation of the i-th coordinates. Truth: -(d/2) ln(1 - rho^2).'),
  examples,
});

export const nonlinearPairs = z.strictObject({
  kind: z.literal('nonlinear').describe('Y = f(X) + noise * N(0, I), X uniform on [-1, 1]^d (paper, Fig. 2).'),
  function: z.enum(['identity', 'cube', 'sine']).default('identity').describe('f, applied to each coordinate.'),
  dimension: z.int().min(1).max(1000).default(2).describe('Dimension of X and of Y. The paper uses 2.'),
  noise: z
    .number()
    .min(0.001)
    .max(100)
    .default(0.5)
    .describe('Standard deviation of the noise. Without noise the mutual information is infinite.'),
  examples,
});

export const arrayPairs = z.strictObject({
  kind: z.literal('arrays').describe('Pairs of rows of two files.'),
  x: z.string().min(1).describe('File of X: .npy, or .csv as file.csv:columnA,columnB. Relative to the configuration.'),
  y: z.string().min(1).describe('File of Y, row by row with X.'),
});

export const mutualInformationConfig = z
  .strictObject({
    $schema: z.string().optional().describe('JSON Schema of this file, for editors.'),
    experiment: z
      .literal('mutual-information')
      .describe('Estimate the mutual information of pairs with a statistics network.'),
    name,
    seed,
    data: z.discriminatedUnion('kind', [gaussianPairs, nonlinearPairs, arrayPairs]).prefault({ kind: 'gaussian' }),
    statisticsNetwork: z
      .strictObject({
        hidden: layerWidths.default([128, 128]),
        activation: z.enum(['relu', 'elu', 'leaky-relu']).default('relu').describe('Activation of the hidden layers.'),
      })
      .prefault({}),
    training: z
      .strictObject({
        iterations: iterations.default(5000),
        batchSize: batchSize.default(512).describe('Pairs per step, joint and marginal each.'),
        optimizer: optimizer.prefault({ kind: 'adam', learningRate: 1e-3 }),
        learningRateSchedule: z
          .enum(['constant', 'linear', 'cosine'])
          .default('constant')
          .describe('How the learning rate falls to zero over the run, if at all.'),
      })
      .prefault({}),
    mutualInformation: z.strictObject({ bound, movingAverageRate }).prefault({}),
    evaluation: z
      .strictObject({
        every: z.int().min(1).max(1_000_000).default(500).describe('Iterations between held-out read-outs.'),
        samples: z
          .int()
          .min(100)
          .max(1_000_000)
          .default(4000)
          .describe('Fresh pairs per read-out; a fixed data set is read on its held-out part.'),
        permutations: z
          .int()
          .min(1)
          .max(1000)
          .default(10)
          .describe('Shifts of Z against X over which the partition is averaged in a read-out.'),
      })
      .prefault({}),
    checkpoint,
    execution,
  })
  .describe('A mutual information experiment.');

export type MutualInformationConfig = z.infer<typeof mutualInformationConfig>;
