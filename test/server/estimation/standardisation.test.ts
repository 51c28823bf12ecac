import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../server/estimation/seeded-random';
import { normalQuantile, normalScores, standardisedColumns } from '../../../server/estimation/standardisation';
import oracle from '../../oracle/nearest-neighbours/expected.json';

const random = new SeededRandom(1);
const rows = 200;
const values = Float64Array.from({ length: rows * 2 }, (_, i) => (i % 2 ? 1e6 : 1e-6) * (random.normal() + 5));

describe('standardised columns', () => {
  it('have mean 0 and variance 1 on the rows they were fitted on, and only there', () => {
    const training = Int32Array.from({ length: 150 }, (_, row) => row);
    const { values: scaled } = standardisedColumns(values, rows, training);
    for (const column of [0, 1]) {
      const fitted = [...training].map((row) => scaled[row * 2 + column]!);
      const mean = fitted.reduce((sum, value) => sum + value / 150, 0);
      expect(mean).toBeCloseTo(0, 10);
      expect(fitted.reduce((sum, value) => sum + value ** 2 / 150, 0)).toBeCloseTo(1, 10);
    }
    // A wild held-out row changes no scaled training row.
    const wild = values.slice();
    wild[2 * 199] = 1e9;
    const { values: again } = standardisedColumns(wild, rows, training);
    expect([...again.subarray(0, 300)]).toEqual([...scaled.subarray(0, 300)]);
  });

  it('leave constant columns out, also those constant but for rounding', () => {
    const three = new Float64Array(rows * 3);
    for (let row = 0; row < rows; row++) three.set([0.1 + (row % 2) * 1e-17, 7, values[2 * row]!], row * 3);
    expect(standardisedColumns(three, rows).kept).toEqual([2]);
  });
});

describe('normal scores', () => {
  it('depend on the ranks only, and have variance 1', () => {
    const { values: scores } = normalScores(values, rows);
    expect([...normalScores(values.map(Math.atan), rows).values]).toEqual([...scores]);
    expect(scores.reduce((sum, score) => sum + score ** 2, 0) / rows).toBeCloseTo(2, 10);
  });

  it('give tied values one score, wherever their rows stand', () => {
    const sorted = Float64Array.from({ length: 12 }, (_, row) => Math.floor(row / 4));
    const { values: scores } = normalScores(sorted, 12);
    expect(new Set(scores).size).toBe(3);
    expect(scores[5]).toBeCloseTo(0, 12);
    expect(normalScores(new Float64Array(12).fill(3), 12).columns).toBe(0);
  });
});

it.each(oracle.normalQuantile as [number, number][])('the normal quantile of %d is %d', (probability, value) => {
  expect(Math.abs(normalQuantile(probability) - value)).toBeLessThan(2e-9 * Math.max(1, Math.abs(value)));
});
