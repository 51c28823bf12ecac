import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { crossFittedRun, crossFittingOptions } from '../../../server/estimation/cross-fitted-estimate';
import { CrossFittedProgram, type RowPairs } from '../../../server/estimation/cross-fitted-program';
import type { Fold } from '../../../server/estimation/cross-fitting-folds';
import { gaussianLogRatio, type GaussianLogRatio } from '../../../server/estimation/gaussian-log-ratio';
import { combinedReadOut } from '../../../server/estimation/held-out-folds';
import { SeededRandom } from '../../../server/estimation/seeded-random';
import { type Columns, normalScores } from '../../../server/estimation/standardisation';
import { loadEngineForTests } from '../native-engine';
import { correlatedGaussians, type SamplePair } from './sample-pairs';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

const columnsOf = (values: Float64Array, rows: number): Columns => {
  const columns = values.length / rows;
  return { values, columns, kept: Array.from({ length: columns }, (_, column) => column) };
};
const rowsFrom = (start: number, end: number): Int32Array =>
  Int32Array.from({ length: end - start }, (_, i) => start + i);
const foldOf = (heldOut: Int32Array, validation: Int32Array, training: Int32Array): Fold => ({
  heldOut,
  validation,
  training,
});
const noBase: GaussianLogRatio = {
  pairs: 0,
  directionsX: new Float64Array(),
  directionsY: new Float64Array(),
  square: new Float64Array(),
  product: new Float64Array(),
};
const small = {
  hidden: 16,
  batchSize: 32,
  learningRate: 0.01,
  movingAverageRate: 0.1,
  seed: 1,
  mode: 'graph',
} as const;
const everyRow: RowPairs = { x: rowsFrom(0, 300), y: rowsFrom(0, 300) };

function trained({ x, y, rows }: SamplePair, folds: readonly Fold[], steps = 20): Float32Array[] {
  const program = new CrossFittedProgram(
    columnsOf(x, rows),
    columnsOf(y, rows),
    folds,
    folds.map(() => noBase),
    small,
  );
  program.train(steps);
  const scores = program.scores(folds.map(() => everyRow));
  program.dispose();
  return scores;
}

describe('the networks of the folds', () => {
  const sample = correlatedGaussians(300, 2, 0.8, 1);
  const first = foldOf(rowsFrom(200, 300), rowsFrom(150, 200), rowsFrom(0, 150));
  const second = foldOf(rowsFrom(0, 100), rowsFrom(100, 150), rowsFrom(150, 300));

  it('learn from their own training rows only', () => {
    const before = trained(sample, [first, second]);
    // Rows 0 to 99 are held out of the second fold and train the first.
    const changed = { ...sample, y: sample.y.map((value, index) => (index < 2 * 100 ? -3 * value : value)) };
    const after = trained(changed, [first, second]);
    const unchanged = (scores: Float32Array) => [...scores.subarray(100)];
    expect(unchanged(after[1]!)).toEqual(unchanged(before[1]!));
    expect(unchanged(after[0]!)).not.toEqual(unchanged(before[0]!));
    // Nor does what another fold trains on matter.
    const other = trained(sample, [{ ...first, training: rowsFrom(20, 170) }, second]);
    expect([...other[1]!]).toEqual([...before[1]!]);
  });

  it('come back exactly as they were, each fold from its own moment', () => {
    const program = new CrossFittedProgram(
      columnsOf(sample.x, 300),
      columnsOf(sample.y, 300),
      [first, second],
      [noBase, noBase],
      small,
    );
    program.train(10);
    const [early, earlyScores] = [program.weights(), program.scores([everyRow, everyRow])];
    program.train(10);
    const [late, lateScores] = [program.weights(), program.scores([everyRow, everyRow])];
    program.train(10);
    program.restore([early, late]);
    const scores = program.scores([everyRow, everyRow]);
    expect([...scores[0]!]).toEqual([...earlyScores[0]!]);
    expect([...scores[1]!]).toEqual([...lateScores[1]!]);
    expect([...earlyScores[0]!]).not.toEqual([...lateScores[0]!]);
    program.dispose();
  });

  it('start as the Gaussian log-ratio, and can go without it', () => {
    const { x, y, rows } = sample;
    const base = gaussianLogRatio(x, y, rows);
    const program = new CrossFittedProgram(
      columnsOf(x, rows),
      columnsOf(y, rows),
      [first, second],
      [base, noBase],
      small,
    );
    const pairs = { x: everyRow.x, y: everyRow.x.map((row) => (row * 7 + 3) % 300) };
    const [withBase, without] = program.scores([pairs, pairs]);
    const { directionsX, directionsY, square, product } = base;
    pairs.x.forEach((row, i) => {
      let expected = 0;
      for (let k = 0; k < base.pairs; k++) {
        const along = (values: Float64Array, at: number, directions: Float64Array) =>
          values[2 * at]! * directions[k]! + values[2 * at + 1]! * directions[base.pairs + k]!;
        const [u, v] = [along(x, row, directionsX), along(y, pairs.y[i]!, directionsY)];
        expected += square[k]! * (u * u + v * v) + product[k]! * u * v;
      }
      expect(Math.abs(withBase![i]! - expected)).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected)));
    });
    expect([...without!].every((score) => score === 0)).toBe(true);
    program.weighBases([0, 1]);
    expect([...program.scores([pairs, pairs])[0]!].every((score) => score === 0)).toBe(true);
    program.dispose();
  });

  it('are scored alike however the pairs are cut', () => {
    const program = new CrossFittedProgram(
      columnsOf(sample.x, 300),
      columnsOf(sample.y, 300),
      [first, second],
      [noBase, noBase],
      small,
    );
    program.train(5);
    const random = new SeededRandom(1);
    const many = { x: Int32Array.from({ length: 5000 }, () => random.below(300)), y: new Int32Array(5000).fill(7) };
    const all = program.scores([many, many])[1]!;
    const tail = program.scores([0, 1].map(() => ({ x: many.x.slice(4990), y: many.y.slice(4990) })))[1]!;
    expect(all).toHaveLength(5000);
    tail.forEach((score, i) => {
      expect(score).toBeCloseTo(all[4990 + i]!, 5);
    });
    program.dispose();
  });
});

async function estimateOf({ x, y, rows }: SamplePair, seed = 1) {
  const run = await crossFittedRun(
    normalScores(x, rows),
    normalScores(y, rows),
    crossFittingOptions(rows, seed, 'xla'),
  );
  return { ...combinedReadOut(run.folds, rows), run };
}

describe('the estimate', () => {
  it('is near the truth for Gaussians, and the same for the same seed', async () => {
    const sample = correlatedGaussians(1500, 1, 0.9, 1);
    const { estimate, standardError, run } = await estimateOf(sample);
    expect(Math.abs(estimate - 0.8304)).toBeLessThan(3 * standardError);
    expect(standardError).toBeLessThan(0.05);
    expect(run.stoppedEarly).toBe(true);
    tf.disposeVariables();
    expect((await estimateOf(sample)).estimate).toBe(estimate);
  });

  it('finds dependence that correlations do not show', async () => {
    const random = new SeededRandom(2);
    // Y is X with a random sign and noise of 0.3; by quadrature I = 0.731.
    const x = Float64Array.from({ length: 2000 }, () => random.normal());
    const y = x.map((value) => (random.uniform() < 0.5 ? -value : value) + 0.3 * random.normal());
    const { estimate, interval } = await estimateOf({ x, y, rows: 2000 });
    expect(estimate).toBeGreaterThan(0.6);
    expect(interval[0]).toBeLessThan(0.731);
  });

  it('is about 0 for independent data in 10 dimensions, where the value on training pairs would be large', async () => {
    const { estimate, interval } = await estimateOf(correlatedGaussians(1000, 10, 0, 3));
    expect(Math.abs(estimate)).toBeLessThan(0.03);
    expect(interval[0]).toBeLessThanOrEqual(0);
  });
});
