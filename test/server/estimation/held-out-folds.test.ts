import { describe, expect, it } from 'vitest';
import { crossFittingFolds } from '../../../server/estimation/cross-fitting-folds';
import {
  blockStandardError,
  combinedReadOut,
  foldReadOut,
  shiftedPairs,
} from '../../../server/estimation/held-out-folds';
import { SeededRandom } from '../../../server/estimation/seeded-random';
import { correlatedGaussians } from './sample-pairs';

describe('the folds', () => {
  it.each([100, 1003, 60_000])('of %i rows: each held out once, never trained on or validated with', (rows) => {
    const folds = crossFittingFolds(rows, 5, new SeededRandom(1));
    const heldOut = folds.flatMap((fold) => [...fold.heldOut]);
    expect(new Set(heldOut).size).toBe(heldOut.length);
    expect(rows - heldOut.length).toBeLessThan(5);
    for (const { heldOut, validation, training } of folds) {
      expect(new Set([...heldOut, ...validation, ...training]).size).toBe(rows);
      expect(heldOut.length + validation.length + training.length).toBe(rows);
      expect(validation.length).toBeLessThanOrEqual(4000);
      expect([heldOut.length, training.length]).toEqual([folds[0]!.heldOut.length, folds[0]!.training.length]);
    }
  });

  it('refuse too few rows', () => {
    expect(() => crossFittingFolds(99, 5, new SeededRandom(1))).toThrow('99 rows are too few for 5 folds');
  });
});

describe('marginal pairs', () => {
  it('never pair a row with its own partner, and no pair comes twice', () => {
    const rows = Int32Array.of(7, 3, 11, 2, 40);
    const { x, y } = shiftedPairs(rows, 100, new SeededRandom(1));
    expect(x).toHaveLength(5 * 4);
    expect(x.some((row, i) => row === y[i])).toBe(false);
    expect(new Set([...x].map((row, i) => `${row} ${y[i]!}`)).size).toBe(5 * 4);
  });
});

/** T = the true log-ratio of correlated Gaussians, plus any constant: what an optimal network computes. */
function optimalReadOut(rows: number, rho: number, seed: number, constant = 0) {
  const { x, y } = correlatedGaussians(rows, 1, rho, seed);
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  const pairs = shiftedPairs(order, 100, new SeededRandom(seed));
  const ratio = (a: number, b: number) =>
    constant - 0.5 * Math.log(1 - rho ** 2) - (rho ** 2 * (a * a + b * b) - 2 * rho * a * b) / (2 * (1 - rho ** 2));
  return foldReadOut(
    order,
    Float32Array.from(order, (row) => ratio(x[row]!, y[row]!)),
    pairs,
    Float32Array.from(pairs.x, (row, i) => ratio(x[row]!, y[pairs.y[i]!]!)),
  );
}

describe('the read-out', () => {
  it('of the true log-ratio is the mutual information, whatever constant is added', () => {
    const readings = [0, 1, 2, 3, 4].map((seed) => optimalReadOut(4000, 0.7, seed));
    expect(Math.abs(combinedReadOut(readings, 4000).estimate - 0.3367)).toBeLessThan(0.015);
    expect(optimalReadOut(4000, 0.7, 0, 30).estimate).toBeCloseTo(readings[0]!.estimate, 4);
  });

  it('stays finite for scores of +-1000', () => {
    const order = Int32Array.of(0, 1, 2);
    const pairs = shiftedPairs(order, 2, new SeededRandom(1));
    const reading = foldReadOut(
      order,
      Float32Array.of(1000, 1000, -1000),
      pairs,
      Float32Array.of(-1000, 1000, 1000, -1000, 0, 1000),
    );
    expect(reading.estimate).toBeCloseTo(1000 / 3 - 1000 - Math.log(0.5), 3);
    expect(reading.effectivePairs).toBeCloseTo(3, 6);
  });

  it('of constant scores is 0', () => {
    const order = Int32Array.from({ length: 50 }, (_, row) => row);
    const pairs = shiftedPairs(order, 10, new SeededRandom(1));
    const reading = foldReadOut(order, new Float32Array(50).fill(3), pairs, new Float32Array(500).fill(3));
    expect(reading.estimate).toBeCloseTo(0, 12);
    expect(reading.effectivePairs).toBeCloseTo(500, 6);
  });

  it("has a standard error that tells the estimate's spread over samples", () => {
    const readings = Array.from({ length: 200 }, (_, seed) => optimalReadOut(500, 0.6, seed));
    const mean = readings.reduce((sum, { estimate }) => sum + estimate / 200, 0);
    const spread = Math.sqrt(readings.reduce((sum, { estimate }) => sum + (estimate - mean) ** 2 / 199, 0));
    const claimed = readings.reduce((sum, { influence }) => sum + blockStandardError(influence) / 200, 0);
    expect(Math.abs(claimed / spread - 1)).toBeLessThan(0.15);
  });

  it('has a larger standard error where neighbouring rows depend on each other', () => {
    const random = new SeededRandom(1);
    const noise = Float64Array.from({ length: 8000 }, () => random.normal());
    let state = 0;
    const dependent = noise.map((value) => (state = 0.8 * state + 0.6 * value));
    // An AR(1) series with coefficient 0.8 has 3 times the standard error of independent values.
    const ratio = blockStandardError(dependent) / blockStandardError(noise);
    expect(ratio).toBeGreaterThan(2);
    expect(ratio).toBeLessThan(3.5);
  });

  it('takes the spread over folds where that is larger', () => {
    const reading = optimalReadOut(400, 0.5, 1);
    const folds = [0, 0.2, 0.4, 0.6, 0.8].map((estimate) => ({ ...reading, estimate }));
    const { estimate, standardError, interval } = combinedReadOut(folds, 400);
    expect(estimate).toBeCloseTo(0.4, 12);
    expect(standardError).toBeCloseTo(Math.sqrt(0.1 / 5), 12);
    expect(interval[0]).toBeCloseTo(0.4 - 1.96 * standardError, 12);
  });
});
