import { z } from 'zod';

/** Fields that every experiment's configuration has. Each has a default, a bound and a documentation string. */

export const seed = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
  .default(1)
  .describe(
    'Seed of every random number of the run. The same seed on the same machine gives the same metrics, bit for bit.',
  );

export const name = z
  .string()
  .min(1)
  .max(200)
  .default('untitled')
  .describe('Name of the run, as lists and the panel show it.');

export const adam = z.strictObject({
  kind: z.literal('adam').describe('Adam (Kingma & Ba, 2015).'),
  learningRate: z.number().positive().max(1).default(1e-4).describe('Step size. The paper uses 1e-4 with Adam.'),
  beta1: z.number().min(0).max(0.9999).default(0.9).describe('Decay of the first moment.'),
  beta2: z.number().min(0).max(0.999999).default(0.999).describe('Decay of the second moment.'),
  epsilon: z.number().positive().max(1).default(1e-8).describe('Added to the root of the second moment.'),
});

export const gradientDescent = z.strictObject({
  kind: z.literal('sgd').describe('Plain stochastic gradient descent.'),
  learningRate: z.number().positive().max(10).default(1e-2).describe('Step size.'),
});

export const optimizer = z.discriminatedUnion('kind', [adam, gradientDescent]);
export type OptimizerConfig = z.infer<typeof optimizer>;

export const layerWidths = z
  .array(z.int().min(1).max(8192))
  .min(1)
  .max(16)
  .describe('Widths of the hidden layers, from input to output. The output layer is added.');

export const movingAverageRate = z
  .number()
  .positive()
  .max(1)
  .default(0.01)
  .describe(
    'Weight of the new batch in the moving average of E[exp T] that corrects the gradient (paper, section 3.2). 1 is the uncorrected, biased gradient.',
  );

export const bound = z
  .enum(['mine', 'mine-f'])
  .default('mine')
  .describe(
    'mine: Donsker-Varadhan with the moving-average gradient. mine-f: the f-divergence bound (paper, equation 8), unbiased gradient, looser.',
  );

export const execution = z
  .strictObject({
    device: z
      .enum(['auto', 'cpu', 'cuda', 'portable'])
      .default('auto')
      .describe('auto: the GPU if the engine sees one, else the CPU. portable: tfjs without native code, slow.'),
    compile: z
      .enum(['auto', 'xla', 'graph', 'eager'])
      .default('auto')
      .describe(
        'auto: XLA for dense networks, the plain graph for convolutions on a CPU. eager: op by op, for debugging.',
      ),
    threads: z.int().min(0).max(1024).default(0).describe('Threads of TensorFlow. 0: one per core.'),
  })
  .prefault({});
export type ExecutionConfig = z.infer<typeof execution>;

export const checkpoint = z
  .strictObject({
    everySeconds: z.number().min(1).max(86_400).default(60).describe('Seconds between checkpoints.'),
    keep: z.int().min(1).max(100).default(2).describe('How many of the newest checkpoints are kept, besides the best.'),
  })
  .prefault({});

export const iterations = z
  .int()
  .min(1)
  .max(16_000_000)
  .describe('Number of training iterations. Up to 16 million: the step counter is a float32 and exact up to 2^24.');

export const batchSize = z.int().min(2).max(65_536);
