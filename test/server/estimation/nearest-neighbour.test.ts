import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArray } from '../../../server/datasets/arrays/read-array';
import { digamma } from '../../../server/estimation/digamma';
import { MaximumNormTree } from '../../../server/estimation/maximum-norm-tree';
import { nearestNeighbourEstimate } from '../../../server/estimation/nearest-neighbour';
import { SeededRandom } from '../../../server/estimation/seeded-random';
import oracle from '../../oracle/nearest-neighbours/expected.json';
import proteinPairs from '../../oracle/protein-pairs.json';
import { ensureProteinTable } from '../../oracle/protein-table';
import { correlatedGaussians, samplePair } from './sample-pairs';

const folder = path.join(import.meta.dirname, '../../oracle/nearest-neighbours');

describe('the tree', () => {
  it.each([1, 2, 5])('finds neighbours and counts like a full search in %i dimensions, ties included', (dimension) => {
    const random = new SeededRandom(dimension);
    const rows = 300;
    // Rounding makes many ties and many distances that equal the radius.
    const values = Float64Array.from({ length: rows * dimension }, () => Math.round(random.normal() * 4) / 4);
    const tree = new MaximumNormTree(values, rows, dimension, 4);
    for (let row = 0; row < rows; row++) {
      const distances: number[] = [];
      for (let other = 0; other < rows; other++) {
        if (other === row) continue;
        let distance = 0;
        for (let axis = 0; axis < dimension; axis++) {
          distance = Math.max(distance, Math.abs(values[row * dimension + axis]! - values[other * dimension + axis]!));
        }
        distances.push(distance);
      }
      expect(tree.neighbourDistance(row)).toBe(distances.sort((a, b) => a - b)[3]);
      for (const radius of [0, 0.25, 0.75, 10]) {
        expect(tree.countWithin(row, radius)).toBe(distances.filter((distance) => distance < radius).length);
      }
    }
  });
});

describe('the Kraskov estimate', () => {
  it.each(Object.entries(oracle.samples))('equals the NumPy reference: %s', async (name, expected) => {
    const { x, y, rows } = await samplePair(path.join(folder, `${name}.npy`), expected.columnsX);
    for (const [k, value] of Object.entries(expected.kraskov)) {
      const { estimate } = nearestNeighbourEstimate(x, y, rows, { neighbours: Number(k) });
      expect(estimate).toBeCloseTo(value, 9);
      // scikit-learn takes single variables only, and clips at 0.
      if ('scikitLearn' in expected) {
        expect(Math.max(0, estimate)).toBeCloseTo(expected.scikitLearn[k as '1' | '3' | '5'], 9);
      }
    }
  });

  it('treats ties as scikit-learn: by noise, whose seed matters', async () => {
    const { x, y, rows } = await samplePair(path.join(folder, 'rounded.npy'), 1);
    const values = Array.from({ length: 50 }, (_, seed) => nearestNeighbourEstimate(x, y, rows, { seed }).estimate);
    const mean = values.reduce((sum, value) => sum + value / 50, 0);
    expect(Math.abs(mean - oracle.rounded.mean)).toBeLessThan(oracle.rounded.standardDeviation);
    expect(nearestNeighbourEstimate(x, y, rows, { seed: 3 }).estimate).toBe(values[3]);
  });

  it('is near the closed form, -d/2 ln(1 - rho^2), at N = 20,000', () => {
    const { x, y } = correlatedGaussians(20_000, 1, 0.9, 1);
    expect(nearestNeighbourEstimate(x, y, 20_000).estimate).toBeCloseTo(0.8304, 1.7);
    const independent = correlatedGaussians(20_000, 2, 0, 2);
    expect(Math.abs(nearestNeighbourEstimate(independent.x, independent.y, 20_000).estimate)).toBeLessThan(0.02);
  });

  it('agrees with scikit-learn on all 55 pairs of the protein table', async () => {
    const file = await ensureProteinTable();
    const table = await readArray(path.basename(file), path.dirname(file));
    expect([table.rows, table.columns]).toEqual([7466, 11]);
    const column = (name: string) =>
      Float64Array.from({ length: table.rows }, (_, row) => table.values[row * 11 + table.columnNames.indexOf(name)]!);
    for (const { pair, mean, standardDeviation } of proteinPairs) {
      const { estimate } = nearestNeighbourEstimate(column(pair[0]!), column(pair[1]!), table.rows);
      // Many values are tied (three digits), so both depend on the noise.
      expect(Math.abs(Math.max(0, estimate) - mean), pair.join(' ')).toBeLessThan(5 * standardDeviation + 0.003);
    }
  });

  it('looks for neighbours of a random part of the rows where all would take too long', () => {
    const { x, y } = correlatedGaussians(30_000, 4, 0.5, 3);
    const { estimate, queries } = nearestNeighbourEstimate(x, y, 30_000);
    expect(queries).toBe(Math.floor(1e9 / (30_000 * 8)));
    expect(Math.abs(estimate - 0.5754)).toBeLessThan(0.1);
  });

  it('refuses what it cannot do', () => {
    const three = Float64Array.of(1, 2, 4);
    expect(() => nearestNeighbourEstimate(three, three, 3)).toThrow('3 rows are too few for 3 nearest neighbours.');
    const constant = new Float64Array(10).fill(0.1);
    expect(() => nearestNeighbourEstimate(constant, constant, 10)).toThrow('A side has no column that varies.');
  });
});

it.each(oracle.digamma as [number, number][])('digamma(%d) is %d', (x, value) => {
  expect(Math.abs(digamma(x) - value)).toBeLessThan(1e-12 * Math.max(1, Math.abs(value)));
});
