import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type MutualInformationConfig, mutualInformationConfig } from '../../../server/config/mutual-information';
import { trainingRows } from '../../../server/datasets/pairs/training-rows';
import { spreadShifts } from '../../../server/estimation/read-out';
import { SeededRandom } from '../../../server/estimation/seeded-random';
import type { Metrics, Training } from '../../../server/experiments/experiment';
import { prepareMutualInformation } from '../../../server/experiments/mutual-information';
import { loadEngineForTests } from '../native-engine';
import { Draws } from './draws';
import { changedNames, expectMetrics, expectUpdate } from './expect-update';
import { beside, column, float64, type Matrix, outputs } from './float64-networks';
import { bounds, mutualInformationIteration, type PairBatch, statisticsForm } from './float64-statistics';

const folder = mkdtempSync(join(tmpdir(), 'mine-pairs-'));
beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const SGD = { kind: 'sgd', learningRate: 0.1 } as const;

interface Changes {
  readonly data?: object;
  readonly statisticsNetwork?: object;
  readonly training?: object;
  readonly mutualInformation?: object;
  readonly evaluation?: object;
}

/** An experiment small enough for finite differences. */
function tiny(changes: Changes = {}, compile = 'eager'): MutualInformationConfig {
  return mutualInformationConfig.parse({
    experiment: 'mutual-information',
    seed: 4,
    data: { kind: 'gaussian', dimension: 2, correlation: 0.8, ...changes.data },
    statisticsNetwork: { hidden: [5], ...changes.statisticsNetwork },
    training: { batchSize: 8, iterations: 50, optimizer: SGD, ...changes.training },
    mutualInformation: { ...changes.mutualInformation },
    evaluation: { samples: 100, ...changes.evaluation },
    execution: { compile },
  });
}

function prepare(config: MutualInformationConfig): Promise<Training> {
  return prepareMutualInformation(config, { folder, onPreparing: () => undefined });
}

function metricsOf(training: Training, row: Float32Array): Metrics {
  return Object.fromEntries(training.metricNames.map((name, i) => [name, row[i]!]));
}

/** Standard normal pairs of the given correlation. */
function gaussians(
  draws: Draws,
  count: number,
  dimension: number,
  rho: number,
  stream: string,
): { x: Matrix; z: Matrix } {
  const x = draws.normal(count, dimension, `${stream}/x`);
  const noise = draws.normal(count, dimension, `${stream}/z`);
  return { x, z: x.map((row, i) => row.map((v, j) => rho * v + Math.sqrt(1 - rho ** 2) * noise[i]![j]!)) };
}

function freshBatch(config: MutualInformationConfig, step: number): PairBatch {
  const draws = new Draws(config.seed, step);
  const { dimension, correlation } = config.data as { dimension: number; correlation: number };
  const { batchSize } = config.training;
  // The marginal of z is standard normal, whatever the correlation.
  const zMarginal = draws.normal(batchSize, dimension, 'marginal/z');
  return { ...gaussians(draws, batchSize, dimension, correlation, 'joint'), zMarginal };
}

function fixedBatch(config: MutualInformationConfig, rows: { x: Matrix; z: Matrix }, step: number): PairBatch {
  const draws = new Draws(config.seed, step);
  const count = trainingRows(rows.x.length);
  const joint = draws.integers(config.training.batchSize, count, 'joint');
  const further = draws.integers(config.training.batchSize, count - 1, 'marginal');
  return {
    x: joint.map((row) => rows.x[row]!),
    z: joint.map((row) => rows.z[row]!),
    zMarginal: joint.map((row, i) => rows.z[(row + 1 + further[i]!) % count]!),
  };
}

describe('one iteration is a step of Algorithm 1, as float64 finite differences say', () => {
  const variants: Record<string, Changes> = {
    'the defaults': {},
    'MINE-f': { mutualInformation: { bound: 'mine-f' } },
    'the naive gradient': { mutualInformation: { movingAverageRate: 1 } },
    'a fast moving average': { mutualInformation: { movingAverageRate: 0.4 } },
    'two layers of ELU': { statisticsNetwork: { hidden: [4, 3], activation: 'elu' } },
    'leaky units and Adam with a falling rate': {
      statisticsNetwork: { activation: 'leaky-relu' },
      training: { optimizer: { kind: 'adam', learningRate: 0.01 }, learningRateSchedule: 'cosine' },
    },
    'a fixed set of pairs': { data: { examples: 50 } },
  };

  it.each(Object.entries(variants))('%s', async (_, changes) => {
    const config = tiny(changes);
    const { data, seed } = config;
    const fixed = data.kind !== 'arrays' && data.examples !== 'unlimited';
    const rows = gaussians(new Draws(seed, 0), 50, 2, 0.8, 'examples');
    const training = await prepare(config);
    for (let step = 0; step < 5; step++) {
      const before = float64(training.pull());
      const batch = fixed ? fixedBatch(config, rows, step) : freshBatch(config, step);
      const { after, metrics } = mutualInformationIteration(config, before, batch);
      expectMetrics(metricsOf(training, await training.advance(1)), metrics);
      expectUpdate(training.pull(), { from: before, to: after });
    }
    training.dispose();
  });

  it.each(['graph', 'xla'] as const)('compiled as %s, all iterations in one call', async (mode) => {
    const config = tiny({}, mode);
    const training = await prepare(config);
    expect(training.mode).toBe(mode);
    const before = float64(training.pull());
    const columns = await training.advance(3);
    let after = before;
    for (let step = 0; step < 3; step++) {
      const iteration = mutualInformationIteration(config, after, freshBatch(config, step));
      const width = training.metricNames.length;
      expectMetrics(metricsOf(training, columns.subarray(step * width, (step + 1) * width)), iteration.metrics);
      after = iteration.after;
    }
    expectUpdate(training.pull(), { from: before, to: after });
    training.dispose();
  });
});

describe('evaluation and read-out', () => {
  it('show E_J[T] - log E_M[e^T] of the present weights on fresh pairs, over ten shifts, not the loss that trains', async () => {
    const config = tiny({ training: { optimizer: { kind: 'sgd', learningRate: 0.5 } } });
    expect(config.evaluation.permutations).toBe(10);
    const training = await prepare(config);
    await training.advance(20);
    const T = statisticsForm(config, 4);
    const values = float64(training.pull());
    const { x, z } = gaussians(new Draws(config.seed, 20, 0), 100, 2, 0.8, 'held-out');
    const scores = (others: Matrix): number[] => column(outputs(T, values, beside(x, others)));
    const marginal = spreadShifts(10, 100).flatMap((shift) => scores([...z.slice(shift), ...z.slice(0, shift)]));
    const { metrics } = await training.evaluate();
    expect(Object.keys(metrics)).toEqual(training.evaluationMetricNames);
    expect(metrics['mutualInformation.heldOut']).toBeCloseTo(bounds.mine(scores(z), marginal), 5);
    expect(metrics['mutualInformation.heldOutError']).toBeGreaterThan(0);
    expect(metrics['mutualInformation.truth']).toBeCloseTo(-Math.log(1 - 0.64), 9);
    training.dispose();
  });

  it('leave every variable as it was, bit for bit, so that training goes on as if there had been none', async () => {
    const [watched, undisturbed] = [await prepare(tiny({}, 'graph')), await prepare(tiny({}, 'graph'))];
    await watched.advance(5);
    const before = watched.pull();
    await watched.evaluate();
    await watched.readOut();
    expect(changedNames(before, watched.pull())).toEqual([]);
    await watched.advance(5);
    await undisturbed.advance(10);
    expect(changedNames(watched.pull(), undisturbed.pull())).toEqual([]);
    watched.dispose();
    undisturbed.dispose();
  });

  it('are repeatable, and the final one draws pairs that no evaluation has drawn', async () => {
    const training = await prepare(tiny({}, 'graph'));
    await training.advance(3);
    expect(await training.evaluate()).toEqual(await training.evaluate());
    const final = await training.readOut();
    expect(await training.readOut()).toEqual(final);
    const { metrics } = await training.evaluate();
    expect(Math.abs(final.estimate - metrics['mutualInformation.heldOut']!)).toBeGreaterThan(1e-4);
    // Twenty times as many pairs: an error 4.5 times smaller.
    expect((1.96 * metrics['mutualInformation.heldOutError']!) / (final.interval[1] - final.estimate)).toBeGreaterThan(
      3,
    );
    expect(final).toMatchObject({ unit: 'nats', truth: -Math.log1p(-(0.8 ** 2)) });
    expect(final.warnings.join('\n')).toContain('lower bound');
    training.dispose();
  });
});

describe('held-out pairs', () => {
  const count = 200;
  const seed = 9;
  const order = new SeededRandom(seed).permutation(count);
  const held = [...order.subarray(trainingRows(count))];
  const random = new SeededRandom(1);
  const xs = Array.from({ length: count }, () => [random.normal(), random.normal()]);
  const ys = xs.map(([a]) => [a! + 0.5 * random.normal()]);

  function writeArrays(name: string, x: Matrix, y: Matrix): object {
    const write = (side: string, rows: Matrix): string => {
      const file = `${name}-${side}.csv`;
      const header = rows[0]!.map((_, i) => `${side}${i}`).join();
      writeFileSync(join(folder, file), `${[header, ...rows.map((row) => row.join())].join('\n')}\n`);
      return file;
    };
    return { kind: 'arrays', x: write('x', x), y: write('y', y) };
  }

  interface Curves {
    readonly training: Float32Array;
    readonly heldOut: number;
    readonly final: number;
  }

  async function curvesOf(name: string, x: Matrix, y: Matrix): Promise<Curves> {
    const config = mutualInformationConfig.parse({
      experiment: 'mutual-information',
      seed,
      data: writeArrays(name, x, y),
      statisticsNetwork: { hidden: [16] },
      training: { iterations: 30, batchSize: 32 },
      execution: { compile: 'graph' },
    });
    const training = await prepare(config);
    const curves = {
      training: await training.advance(30),
      heldOut: (await training.evaluate()).metrics['mutualInformation.heldOut']!,
      final: (await training.readOut()).estimate,
    };
    training.dispose();
    return curves;
  }

  it('are never trained on: another pairing of theirs changes the held-out curve only', async () => {
    const original = await curvesOf('original', xs, ys);
    const permuted = ys.map((row, i) => {
      const position = held.indexOf(i);
      return position < 0 ? row : ys[held[(position + 7) % held.length]!]!;
    });
    const changed = await curvesOf('permuted', xs, permuted);
    expect([...changed.training]).toEqual([...original.training]);
    expect(changed.heldOut).not.toBe(original.heldOut);
    expect(changed.final).not.toBe(original.final);
    const other = ys.map((row, i) => (held.includes(i) ? row : [row[0]! * 2 + 1 + (i % 3)]));
    expect([...(await curvesOf('trained', xs, other)).training]).not.toEqual([...original.training]);
  });

  it('have no part in the scaling: it is fitted on training rows', async () => {
    const original = await curvesOf('unscaled', xs, ys);
    const scaled = xs.map((row, i) => (held.includes(i) ? row.map((v) => 1000 * v + 50) : row));
    const changed = await curvesOf('scaled', scaled, ys);
    expect([...changed.training]).toEqual([...original.training]);
    expect(changed.heldOut).not.toBe(original.heldOut);
  });

  it('show that a network which learns independent pairs by heart knows nothing', async () => {
    const config = mutualInformationConfig.parse({
      experiment: 'mutual-information',
      data: { kind: 'gaussian', dimension: 10, correlation: 0, examples: 400 },
      training: { iterations: 600, batchSize: 128 },
    });
    const training = await prepare(config);
    let highest = -Infinity;
    for (let i = 0; i < 6; i++) {
      await training.advance(100);
      highest = Math.max(highest, (await training.evaluate()).metrics['mutualInformation.heldOut']!);
    }
    const { estimate, truth, warnings, metrics } = await training.readOut();
    expect(truth).toBe(0);
    expect(metrics['mutualInformation.smoothed']).toBeGreaterThan(0.5);
    expect(estimate).toBeLessThan(0);
    // The estimate is the last one, not the highest of several looks.
    expect(estimate).toBeLessThan(highest);
    expect(warnings.join('\n')).toMatch(/over-fits: .*Use more data/);
    expect(warnings.join('\n')).toContain('fell below zero');
    training.dispose();
  });
});
