import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ganConfig } from '../../../server/config/gan';
import type { Metrics } from '../../../server/experiments/experiment';
import { loadEngineForTests } from '../native-engine';
import { Draws } from './draws';
import { expectMetrics, expectUpdate } from './expect-update';
import { ganIteration } from './float64-gan';
import { float64 } from './float64-networks';
import { advanceOne, type Changes, pointsOf, prepare, steepenStatistics, tiny } from './tiny-gan';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

describe('one iteration is D, then T, then G, each on the parameters of that moment, as float64 finite differences say', () => {
  const variants: Record<string, Changes> = {
    'the defaults': {},
    'no noise: the code is the whole input': { generator: { noiseDimension: 0 } },
    'a uniform prior and more dimensions': { generator: { prior: 'uniform', noiseDimension: 3, codeDimension: 1 } },
    'a categorical code': { generator: { code: 'categorical', codeDimension: 4 } },
    'two hidden layers': { generator: { hidden: [4, 3], leakiness: 0.05 } },
    'no batch normalisation': { generator: { batchNormalization: false } },
    'averaged weights': { generator: { weightAveraging: 0.9 } },
    'a spiral': { data: { kind: 'spiral', arms: 2 } },
    'the bound of MINE-f': { mutualInformation: { bound: 'mine-f' } },
    'no clipping': { mutualInformation: { clipping: 'none' } },
    'weight 0: the plain GAN': { mutualInformation: { weight: 0 } },
    'weight 2.5': { mutualInformation: { weight: 2.5, movingAverageRate: 0.3 } },
    'three steps of D, two of T': { training: { discriminatorSteps: 3, statisticsNetworkSteps: 2 } },
    'its own optimiser for each': {
      training: {
        discriminatorOptimizer: { kind: 'sgd', learningRate: 0.3 },
        statisticsNetworkOptimizer: { kind: 'adam', learningRate: 0.02 },
        learningRateSchedule: 'linear',
      },
    },
    'Adam everywhere': {
      training: { optimizer: { kind: 'adam', learningRate: 0.01, beta1: 0.5 }, learningRateSchedule: 'cosine' },
    },
  };
  it.each(Object.entries(variants))('%s', async (_, changes) => {
    const config = tiny(changes);
    const training = prepare(config);
    const points = pointsOf(config);
    const seenClipping = new Set<boolean>();
    for (let step = 0; step < 4; step++) {
      // A flat T first, then a steep one: the gradient of the mutual information is once the smaller, once the larger.
      if (step === 0) steepenStatistics(training, 0.3);
      if (step === 2) steepenStatistics(training, 10);
      const before = float64(training.pull());
      const { after, metrics } = ganIteration(config, before, points, new Draws(config.seed, step));
      expectMetrics(await advanceOne(training), metrics);
      expectUpdate(training.pull(), { from: before, to: after });
      seenClipping.add(metrics['ratio']! > 1);
    }
    expect([...seenClipping].sort()).toEqual([false, true]);
    training.dispose();
  });

  it.each(['graph', 'xla'] as const)('compiled as %s, all iterations in one call', async (mode) => {
    const config = tiny({ training: { discriminatorSteps: 2, statisticsNetworkSteps: 2 } }, mode);
    const training = prepare(config);
    expect(training.mode).toBe(mode);
    steepenStatistics(training);
    const points = pointsOf(config);
    const before = float64(training.pull());
    let [after, rows] = [before, new Array<Record<string, number>>()];
    for (let step = 0; step < 3; step++) {
      const iteration = ganIteration(config, after, points, new Draws(config.seed, step));
      [after, rows] = [iteration.after, [...rows, iteration.metrics]];
    }
    const columns = await training.advance(3);
    rows.forEach((metrics, row) => {
      const values = training.metricNames.map((name, i) => [name, columns[row * training.metricNames.length + i]!]);
      expectMetrics(Object.fromEntries(values) as Metrics, metrics);
    });
    expectUpdate(training.pull(), { from: before, to: after });
    training.dispose();
  });
});

it('starts with the paper: 100,000 points, networks of 500-500 and 400-400-400, Adam 1e-4, batches of 100, 5,000 iterations', () => {
  const config = ganConfig.parse({ experiment: 'gan' });
  expect(config.data).toMatchObject({
    kind: 'gaussian-grid',
    examples: 100_000,
    standardDeviation: 0.05,
    side: 5,
    spacing: 2,
  });
  expect(config.generator).toMatchObject({ hidden: [500, 500], batchNormalization: true });
  expect(config.discriminator.hidden).toEqual([400, 400, 400]);
  expect(config.statisticsNetwork.hidden).toEqual([400, 400, 400]);
  expect(config.training).toMatchObject({
    iterations: 5000,
    batchSize: 100,
    optimizer: { kind: 'adam', learningRate: 1e-4 },
    discriminatorSteps: 1,
    statisticsNetworkSteps: 1,
  });
  expect(config.mutualInformation).toMatchObject({ weight: 1, bound: 'mine', clipping: 'adaptive' });
  expect(config.evaluation.samples).toBe(2500);
});
