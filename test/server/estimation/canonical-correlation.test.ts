import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { canonicalCorrelationEstimate } from '../../../server/estimation/canonical-correlation';
import { SeededRandom } from '../../../server/estimation/seeded-random';
import { singularValues } from '../../../server/estimation/singular-values';
import oracle from '../../oracle/nearest-neighbours/expected.json';
import { correlatedGaussians, samplePair } from './sample-pairs';

const folder = path.join(import.meta.dirname, '../../oracle/nearest-neighbours');

describe('the estimate by canonical correlations', () => {
  it.each(Object.entries(oracle.samples))('has the correlations that NumPy finds: %s', async (name, expected) => {
    const { x, y, rows } = await samplePair(path.join(folder, `${name}.npy`), expected.columnsX);
    const { correlations, plugIn } = canonicalCorrelationEstimate(x, y, rows);
    expect(correlations).toHaveLength(expected.canonicalCorrelations.length);
    correlations.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.canonicalCorrelations[i]!, 9);
    });
    const closed = expected.canonicalCorrelations.reduce((sum, r) => sum - 0.5 * Math.log(1 - r * r), 0);
    expect(plugIn).toBeCloseTo(closed, 9);
  });

  it.each([
    [10, 0, 100],
    [5, 0.7, 60],
    [20, 0.5, 200],
  ])('is unbiased on %i-d Gaussians, rho %d, from as few as %i rows', (dimension, rho, rows) => {
    const truth = -0.5 * dimension * Math.log(1 - rho * rho);
    const values = Array.from({ length: 200 }, (_, seed) => {
      const { x, y } = correlatedGaussians(rows, dimension, rho, seed);
      return canonicalCorrelationEstimate(x, y, rows);
    });
    const mean = values.reduce((sum, { estimate }) => sum + estimate / 200, 0);
    const spread = Math.sqrt(values.reduce((sum, { estimate }) => sum + (estimate - mean) ** 2 / 199, 0));
    expect(Math.abs(mean - truth)).toBeLessThan((4 * spread) / Math.sqrt(200));
    const plugIn = values.reduce((sum, value) => sum + value.plugIn / 200, 0);
    expect(plugIn - truth).toBeGreaterThan((dimension * dimension) / (2.5 * rows));
  });

  it('sets repeated, combined and constant columns aside', () => {
    const { x, y } = correlatedGaussians(500, 2, 0.6, 1);
    const plain = canonicalCorrelationEstimate(x, y, 500).estimate;
    const widened = new Float64Array(500 * 5);
    for (let row = 0; row < 500; row++) {
      const [a, b] = [x[2 * row]!, x[2 * row + 1]!];
      widened.set([a, 1e5 * a, b, 3, a - 2 * b], row * 5);
    }
    expect(canonicalCorrelationEstimate(widened, y, 500).estimate).toBeCloseTo(plain, 9);
  });

  it('is infinite where a combination of one side is a combination of the other, NaN where rows are too few', () => {
    const { x } = correlatedGaussians(50, 3, 0, 1);
    const combined = Float64Array.from({ length: 50 }, (_, row) => x[3 * row]! - 2 * x[3 * row + 2]!);
    expect(canonicalCorrelationEstimate(x, combined, 50).estimate).toBe(Infinity);
    const { x: wide, y } = correlatedGaussians(15, 10, 0, 1);
    expect(canonicalCorrelationEstimate(wide, y, 15).estimate).toBeNaN();
  });

  it('refuses what it cannot do', () => {
    const constant = new Float64Array(20).fill(7);
    expect(() => canonicalCorrelationEstimate(constant, constant, 20)).toThrow('no column that varies');
    const wide = Float64Array.from({ length: 2 * 257 }, (_, i) => i % 258);
    expect(() => canonicalCorrelationEstimate(wide, Float64Array.of(1, 2), 2)).toThrow('up to 256 columns');
  });
});

it.each([
  [4, 4],
  [7, 3],
  [3, 7],
])('a %i x %i matrix is the product of its singular decomposition', (rows, columns) => {
  const random = new SeededRandom(rows);
  const matrix = Float64Array.from({ length: rows * columns }, () => random.normal());
  const { values, left, right, rank } = singularValues(matrix, rows, columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += left[i * rank + k]! * values[k]! * right[j * rank + k]!;
      expect(sum).toBeCloseTo(matrix[i * columns + j]!, 12);
    }
  }
  expect([...values]).toEqual([...values].sort((a, b) => b - a));
});
