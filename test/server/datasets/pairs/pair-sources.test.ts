import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { gaussianPairs, nonlinearPairs } from '../../../../server/config/mutual-information';
import { FixedPairs } from '../../../../server/datasets/pairs/fixed-pairs';
import { trainingRows } from '../../../../server/datasets/pairs/training-rows';
import { GaussianPairs } from '../../../../server/datasets/pairs/gaussian-pairs';
import { NonlinearPairs } from '../../../../server/datasets/pairs/nonlinear-pairs';
import type { PairDistribution } from '../../../../server/datasets/pairs/pair-source';
import { UnlimitedPairs } from '../../../../server/datasets/pairs/unlimited-pairs';
import { RandomStreams } from '../../../../server/tensorflow/random';
import { loadEngineForTests } from '../../native-engine';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

const streams = (step = 0): RandomStreams => new RandomStreams(11, tf.scalar(step));
const numbers = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

/** Pairs whose x and z are the row's number. */
function numberedPairs(rows: number): FixedPairs {
  const values = Float32Array.from({ length: rows }, (_, i) => i);
  return new FixedPairs({ x: tf.tensor2d(values, [rows, 1]), z: tf.tensor2d(values.slice(), [rows, 1]) }, null);
}

describe('a fixed set of pairs', () => {
  it.each([5, 50, 53, 1000])('of %i rows trains on the first four fifths and holds the rest out', (rows) => {
    const source = numberedPairs(rows);
    const count = trainingRows(rows);
    expect(count).toBe(rows - Math.round(rows / 5));
    const trained = new Set<number>();
    for (let step = 0; step < 20; step++) {
      const { x, z, zMarginal } = source.batch(500, streams(step));
      for (const part of [x, z, zMarginal]) numbers(part).forEach((row) => trained.add(row));
    }
    const { x, z } = source.heldOut();
    const held = numbers(x);
    expect(numbers(z)).toEqual(held);
    expect(held).toEqual(Array.from({ length: rows - count }, (_, i) => count + i));
    expect(held.filter((row) => trained.has(row))).toEqual([]);
    expect([...trained].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it.each([3, 10, 200])('of %i rows never pairs a row with itself in the product of the marginals', (rows) => {
    const source = numberedPairs(rows);
    const count = trainingRows(rows);
    const met = new Map<string, number>();
    const draws = 40 * 500;
    for (let step = 0; step < 40; step++) {
      const { x, z, zMarginal } = source.batch(500, streams(step));
      expect(numbers(z)).toEqual(numbers(x));
      const others = numbers(zMarginal);
      numbers(x).forEach((row, i) => {
        expect(others[i]).not.toBe(row);
        const pair = `${row} ${others[i]!}`;
        met.set(pair, (met.get(pair) ?? 0) + 1);
      });
    }
    if (rows > 10) return;
    // Every other row is as likely as any.
    const pairs = count * (count - 1);
    expect(met.size).toBe(pairs);
    for (const times of met.values())
      expect(Math.abs(times - draws / pairs)).toBeLessThan(5 * Math.sqrt(draws / pairs));
  });

  it('draws other batches at every step', () => {
    const source = numberedPairs(1000);
    expect(numbers(source.batch(50, streams(0)).x)).not.toEqual(numbers(source.batch(50, streams(1)).x));
  });
});

describe('unlimited pairs', () => {
  const distribution = new GaussianPairs(gaussianPairs.parse({ kind: 'gaussian', correlation: 0.9 }));
  const correlation = (a: tf.Tensor, b: tf.Tensor): number => tf.mean(tf.mul(a, b)).dataSync()[0]!;

  it('take the marginal from fresh draws, independent of the joint ones', () => {
    const { x, z, zMarginal } = new UnlimitedPairs(distribution, 100, 20).batch(100_000, streams());
    expect(correlation(x, z)).toBeCloseTo(0.9, 1.7);
    expect(Math.abs(correlation(x, zMarginal))).toBeLessThan(0.015);
    expect(Math.abs(correlation(z, zMarginal))).toBeLessThan(0.015);
    expect(correlation(zMarginal, zMarginal)).toBeCloseTo(1, 1.7);
  });

  it('hold out pairs that no step trains on', () => {
    const source = new UnlimitedPairs(distribution, 1000, 20);
    const seen = new Set<number>();
    for (let step = 0; step < 20; step++) {
      const { x, z, zMarginal } = source.batch(1000, streams(step));
      for (const part of [x, z, zMarginal]) numbers(part).forEach((v) => seen.add(v));
    }
    const held = numbers(source.heldOut(streams(5)).z);
    // A few of 60,000 numbers meet by chance, as float32 have only 24 bits.
    expect(held.filter((v) => seen.has(v)).length).toBeLessThan(50);
    const blocks = [0, 1, 2].map((draw) => numbers(source.heldOut(streams(5).fold(tf.scalar(draw, 'int32'))).z));
    expect(new Set(blocks.map((block) => block.slice(0, 5).join())).size).toBe(3);
  });
});

describe('distributions', () => {
  const momentsOf = (distribution: PairDistribution): { covariance: number[][] } => {
    const { x, z } = distribution.draw(200_000, streams(), 'pairs');
    const both = tf.concat2d([x as tf.Tensor2D, z as tf.Tensor2D], 1);
    const centred = tf.sub<tf.Tensor2D>(both, tf.mean(both, 0));
    expect(Math.max(...numbers(tf.abs(tf.mean(both, 0))))).toBeLessThan(0.02);
    return { covariance: tf.div(tf.matMul(centred, centred, true), 200_000).arraySync() as number[][] };
  };

  it('correlated Gaussians have unit variances, rho between coordinates of one number, and 0 elsewhere', () => {
    const { covariance } = momentsOf(
      new GaussianPairs(gaussianPairs.parse({ kind: 'gaussian', dimension: 3, correlation: -0.7 })),
    );
    covariance.forEach((row, i) => {
      row.forEach((value, j) => {
        const expected = i === j ? 1 : Math.abs(i - j) === 3 ? -0.7 : 0;
        expect(Math.abs(value - expected), `${i}, ${j}`).toBeLessThan(0.015);
      });
    });
  });

  it.each([
    ['identity', (x: number) => x],
    ['cube', (x: number) => x ** 3],
    ['sine', Math.sin],
  ] as const)('Y = f(X) + noise for f = %s, X uniform on [-1, 1], the noise normal and independent', (name, f) => {
    const { x, z } = new NonlinearPairs(nonlinearPairs.parse({ kind: 'nonlinear', function: name, noise: 0.3 })).draw(
      100_000,
      streams(),
      'pairs',
    );
    const [xs, zs] = [numbers(x), numbers(z)];
    expect(Math.max(...xs.slice(0, 1000).map(Math.abs))).toBeLessThanOrEqual(1);
    const noise = zs.map((value, i) => (value - f(xs[i]!)) / 0.3);
    const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
    expect(mean(xs.map((v) => v * v))).toBeCloseTo(1 / 3, 2);
    expect(mean(noise)).toBeCloseTo(0, 1.7);
    expect(mean(noise.map((e) => e * e))).toBeCloseTo(1, 1.7);
    expect(mean(noise.map((e) => e ** 4))).toBeCloseTo(3, 0.9);
    expect(mean(noise.map((e, i) => e * xs[i]!))).toBeCloseTo(0, 1.7);
  });

  it.each([
    new GaussianPairs(gaussianPairs.parse({ kind: 'gaussian', dimension: 2, correlation: 0.9 })),
    new NonlinearPairs(nonlinearPairs.parse({ kind: 'nonlinear', function: 'cube', noise: 0.1 })),
  ])('the marginal of z has the deciles that z has beside x: %#', (distribution) => {
    const deciles = (z: tf.Tensor): number[] => {
      const sorted = z.dataSync().slice().sort();
      return Array.from({ length: 9 }, (_, i) => sorted[Math.floor(((i + 1) / 10) * sorted.length)]!);
    };
    const marginal = distribution.drawMarginal(100_000, streams(), 'marginal');
    expect(marginal.shape).toEqual([100_000, 2]);
    const expected = deciles(distribution.draw(100_000, streams(), 'pairs').z);
    deciles(marginal).forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(0.02);
    });
  });
});
