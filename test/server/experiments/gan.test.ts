import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type GanConfig, ganConfig } from '../../../server/config/gan';
import { createPointTarget } from '../../../server/datasets/points/registry';
import { spreadShifts } from '../../../server/estimation/read-out';
import type { Metrics, Training } from '../../../server/experiments/experiment';
import { prepareGan } from '../../../server/experiments/gan';
import type { ProgramMode, VariableValue } from '../../../server/tensorflow/program';
import { RandomStreams } from '../../../server/tensorflow/random';
import { loadEngineForTests } from '../native-engine';
import { changedNames, expectMetrics, expectUpdate } from './expect-update';
import { beside, column, float64, type Matrix, outputs, parameterNames } from './float64-networks';
import { bounds, Draws, ganForms, ganIteration, prior } from './float64-training';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

const SGD = { kind: 'sgd', learningRate: 0.1 } as const;
/** So small that a float32 does not see it. */
const NO_STEP = { kind: 'sgd', learningRate: 1e-50 } as const;

/** A bias before batch normalisation is taken out again with the mean: only rounding moves it. */
const hasGradient = (name: string): boolean => name !== 'generator/dense-1/bias';

interface Changes {
  readonly data?: object;
  readonly generator?: object;
  readonly training?: object;
  readonly mutualInformation?: object;
  readonly evaluation?: object;
}

/** A GAN small enough for finite differences. */
function tiny(changes: Changes = {}, mode: ProgramMode = 'eager'): GanConfig {
  return ganConfig.parse({
    experiment: 'gan',
    seed: 3,
    data: { kind: 'gaussian-grid', examples: 100, ...changes.data },
    generator: { hidden: [5], ...changes.generator },
    discriminator: { hidden: [5] },
    statisticsNetwork: { hidden: [5] },
    training: { batchSize: 8, iterations: 50, optimizer: SGD, ...changes.training },
    mutualInformation: { ...changes.mutualInformation },
    evaluation: { samples: 100, heldOutSamples: 100, ...changes.evaluation },
    execution: { compile: mode },
  });
}

function prepare(config: GanConfig): Training {
  return prepareGan(config, { folder: '.', onPreparing: () => undefined });
}

/** One more iteration; its metrics by name. */
async function advanceOne(training: Training): Promise<Metrics> {
  const row = await training.advance(1);
  return Object.fromEntries(training.metricNames.map((name, i) => [name, row[i]!]));
}

/** Makes T steep, so that the gradient of the mutual information is the larger of the two. */
function steepenStatistics(training: Training, by = 4): void {
  training.push(
    new Map(
      [...training.pull()].map(([name, { shape, values }]): [string, VariableValue] => [
        name,
        { shape, values: /^statistics\/.*kernel/.test(name) ? values.map((v) => v * by) : values },
      ]),
    ),
  );
}

function pointsOf(config: GanConfig): Matrix {
  return tf.tidy(
    () =>
      createPointTarget(config.data)
        .draw(config.data.examples, new RandomStreams(config.seed, tf.scalar(0)))
        .arraySync() as number[][],
  );
}

describe('one iteration is D, then T, then G, each on the parameters of that moment, as float64 finite differences say', () => {
  const variants: Record<string, Changes> = {
    'the defaults': {},
    'no noise: the code is the whole input': { generator: { noiseDimension: 0 } },
    'a uniform prior and more dimensions': { generator: { prior: 'uniform', noiseDimension: 3, codeDimension: 1 } },
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

describe('adaptive gradient clipping', () => {
  it('touches the generator only: D and T move the same with clipping on, off, and without the MI term', async () => {
    const finals = [];
    for (const mutualInformation of [{}, { clipping: 'none' }, { weight: 0 }]) {
      const training = prepare(tiny({ mutualInformation }));
      steepenStatistics(training);
      expect((await advanceOne(training))['ratio']).toBeGreaterThan(1);
      finals.push(training.pull());
      training.dispose();
      tf.disposeVariables();
    }
    const [clipped, unclipped, plain] = finals as [(typeof finals)[0], (typeof finals)[0], (typeof finals)[0]];
    const generator = parameterNames(ganForms(tiny()).G).filter(hasGradient);
    for (const other of [unclipped, plain]) {
      expect(changedNames(clipped, other).filter(hasGradient)).toEqual(generator.sort());
    }
  });

  it('never lets the MI term move the generator further than the adversarial term alone', async () => {
    const displacement = async (mutualInformation: object): Promise<Map<string, Float64Array>> => {
      const training = prepare(tiny({ mutualInformation }));
      steepenStatistics(training, 20);
      const before = float64(training.pull());
      await training.advance(1);
      const after = float64(training.pull());
      training.dispose();
      tf.disposeVariables();
      const names = parameterNames(ganForms(tiny()).G);
      return new Map(names.map((name) => [name, after.get(name)!.map((v, i) => v - before.get(name)![i]!)]));
    };
    const plain = await displacement({ weight: 0 });
    const length = (moves: ReadonlyMap<string, Float64Array>): number =>
      Math.hypot(...[...moves.values()].flatMap((move) => [...move]));
    const ofInformation = async (clipping: string): Promise<number> => {
      const both = await displacement({ clipping });
      return length(new Map([...both].map(([name, move]) => [name, move.map((v, i) => v - plain.get(name)![i]!)])));
    };
    expect((await ofInformation('adaptive')) / length(plain)).toBeCloseTo(1, 4);
    expect((await ofInformation('none')) / length(plain)).toBeGreaterThan(5);
  });
});

describe('each optimiser owns one network', () => {
  const config = tiny();
  const { G, D, T } = ganForms(config);
  // What every iteration moves, whoever trains: the counter, G's running statistics, T's moving average.
  const always = [
    'generator/dense-1/batch-normalization/running-mean',
    'generator/dense-1/batch-normalization/running-variance',
    'statistics/log-moving-average',
    'step',
  ];
  const cases = [
    {
      trained: 'G',
      form: G,
      optimizers: { optimizer: SGD, discriminatorOptimizer: NO_STEP, statisticsNetworkOptimizer: NO_STEP },
    },
    { trained: 'D', form: D, optimizers: { optimizer: NO_STEP, discriminatorOptimizer: SGD } },
    { trained: 'T', form: T, optimizers: { optimizer: NO_STEP, statisticsNetworkOptimizer: SGD } },
  ];

  it.each(cases)(
    "with $trained's learning rate only, exactly the parameters of $trained change",
    async ({ form, optimizers }) => {
      const training = prepare(tiny({ training: optimizers }));
      const before = training.pull();
      await training.advance(5);
      const changed = changedNames(before, training.pull()).filter((name) => name !== 'clipped-steps');
      expect(changed.filter(hasGradient)).toEqual([...parameterNames(form), ...always].filter(hasGradient).sort());
      training.dispose();
    },
  );
});

describe('evaluation and read-out', () => {
  it('leave every variable as it was, bit for bit, the moving averages and the random streams included', async () => {
    const config = tiny({ generator: { weightAveraging: 0.9 } }, 'graph');
    const [watched, undisturbed] = [prepare(config), prepare(config)];
    await watched.advance(5);
    const before = watched.pull();
    await watched.evaluate();
    await watched.readOut();
    await watched.evaluate();
    expect(changedNames(before, watched.pull())).toEqual([]);
    await watched.advance(5);
    await undisturbed.advance(10);
    expect(changedNames(watched.pull(), undisturbed.pull())).toEqual([]);
    watched.dispose();
    undisturbed.dispose();
  });

  it('are repeatable: the same held-out pairs and shifts give the same numbers exactly', async () => {
    const training = prepare(tiny({}, 'graph'));
    await training.advance(3);
    expect(await training.evaluate()).toEqual(await training.evaluate());
    expect(await training.readOut()).toEqual(await training.readOut());
    training.dispose();
  });

  it('show E_J[T] - log E_M[e^T] of the present weights on fresh samples, over ten shifts of the code', async () => {
    const config = tiny();
    expect(config.evaluation.permutations).toBe(10);
    const training = prepare(config);
    steepenStatistics(training);
    await training.advance(5);
    const values = float64(training.pull());
    const { G, T } = ganForms(config);
    const { heldOutSamples } = config.evaluation;
    const { input, code } = prior(config, new Draws(config.seed, 5, 0), heldOutSamples, 'held-out');
    const x = outputs(G, values, input, 'running');
    const scores = (z: Matrix): number[] => column(outputs(T, values, beside(x, z)));
    const shifts = spreadShifts(10, heldOutSamples);
    expect(new Set(shifts).size).toBe(10);
    const marginal = shifts.flatMap((shift) => scores([...code.slice(shift), ...code.slice(0, shift)]));
    const { metrics } = await training.evaluate();
    expect(Object.keys(metrics)).toEqual(training.evaluationMetricNames);
    expect(metrics['mutualInformation.heldOut']).toBeCloseTo(bounds.mine(scores(code), marginal), 4);
    expect(metrics['mutualInformation.heldOutError']).toBeGreaterThan(0);
    training.dispose();
  });

  it('draw the samples from fixed noise through the present generator', async () => {
    const config = tiny();
    const training = prepare(config);
    await training.advance(4);
    const { samples } = await training.evaluate();
    const { input } = prior(config, new Draws(config.seed, 0), config.evaluation.samples, 'fixed');
    const expected = outputs(ganForms(config).G, float64(training.pull()), input, 'running').flat();
    expect(samples!.dimension).toBe(2);
    samples!.generated.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i]!, 4);
    });
    expect([...samples!.real.slice(0, 20)]).toEqual(pointsOf(config).flat().slice(0, 20));
    training.dispose();
  });

  it('draw with the averaged weights where the configuration averages them', async () => {
    const config = tiny({ generator: { weightAveraging: 0.9 } });
    const training = prepare(config);
    await training.advance(6);
    const { samples } = await training.evaluate();
    const values = float64(training.pull());
    const { G } = ganForms(config);
    for (const name of parameterNames(G)) values.set(name, values.get(name.replace('generator', 'generator-average'))!);
    const { input } = prior(config, new Draws(config.seed, 0), config.evaluation.samples, 'fixed');
    const expected = outputs(G, values, input, 'batch').flat();
    samples!.generated.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i]!, 4);
    });
    training.dispose();
  });

  it('name the unit, give no truth, and say that without noise the information is infinite', async () => {
    const warningsOf = async (noiseDimension: number): Promise<string> => {
      const training = prepare(tiny({ generator: { noiseDimension } }));
      await training.advance(1);
      const { unit, truth, interval, estimate, warnings, metrics } = await training.readOut();
      expect([unit, truth]).toEqual(['nats', null]);
      expect(interval[0]).toBeLessThan(estimate);
      expect(interval[1]).toBeGreaterThan(estimate);
      expect(Object.keys(metrics).sort()).toEqual(['highQualityShare', 'jensenShannon', 'modesCaptured', 'reverseKl']);
      training.dispose();
      tf.disposeVariables();
      return warnings.join('\n');
    };
    expect(await warningsOf(0)).toContain('I(G(code); code) is infinite');
    expect(await warningsOf(2)).not.toContain('infinite');
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
