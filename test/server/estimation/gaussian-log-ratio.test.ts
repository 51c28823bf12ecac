import { expect, it } from 'vitest';
import { gaussianLogRatio, type GaussianLogRatio } from '../../../server/estimation/gaussian-log-ratio';
import { standardisedColumns } from '../../../server/estimation/standardisation';
import { correlatedGaussians } from './sample-pairs';

/** The ratio but for its constant, at one pair. */
function valueAt({ pairs, directionsX, directionsY, square, product }: GaussianLogRatio, x: number[], y: number[]) {
  let sum = 0;
  for (let k = 0; k < pairs; k++) {
    const u = x.reduce((total, value, i) => total + value * directionsX[i * pairs + k]!, 0);
    const v = y.reduce((total, value, i) => total + value * directionsY[i * pairs + k]!, 0);
    sum += square[k]! * (u * u + v * v) + product[k]! * u * v;
  }
  return sum;
}

it('is the closed form for correlated Gaussians', () => {
  const rho = 0.8;
  const rows = 200_000;
  const { x, y } = correlatedGaussians(rows, 2, rho, 1);
  const ratio = gaussianLogRatio(standardisedColumns(x, rows).values, standardisedColumns(y, rows).values, rows);
  for (const [a, b] of [
    [
      [1, -0.5],
      [1, 0.2],
    ],
    [
      [-2, 0],
      [1, 1],
    ],
    [
      [0.3, 0.4],
      [0.5, 0.6],
    ],
  ] as const) {
    const expected = [0, 1].reduce((sum, i) => {
      const quadratic = rho ** 2 * (a[i]! ** 2 + b[i]! ** 2) - 2 * rho * a[i]! * b[i]!;
      return sum - quadratic / (2 * (1 - rho ** 2));
    }, 0);
    expect(Math.abs(valueAt(ratio, [...a], [...b]) - expected)).toBeLessThan(0.1);
  }
});

it('leaves nothing of chance correlations in many dimensions, and is finite for copies and repeated columns', () => {
  const noise = correlatedGaussians(80, 30, 0, 1);
  const { square } = gaussianLogRatio(noise.x, noise.y, 80);
  // 30 x 30 columns on 80 rows show canonical correlations up to 0.97 by chance.
  expect(Math.max(...square.map(Math.abs))).toBeLessThan(3);
  const wide = gaussianLogRatio(noise.x.subarray(0, 40 * 30), noise.y.subarray(0, 40 * 30), 40);
  expect([...wide.product].every((value) => value === 0)).toBe(true);
  const copied = gaussianLogRatio(noise.x, noise.x, 80);
  expect([...copied.square, ...copied.product].every(Number.isFinite)).toBe(true);
});
