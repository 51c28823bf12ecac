import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ganConfig, gaussianGrid, spiral } from '../../../../server/config/gan';
import { GaussianGrid } from '../../../../server/datasets/points/gaussian-grid';
import { createPointTarget } from '../../../../server/datasets/points/registry';
import { Spiral } from '../../../../server/datasets/points/spiral';
import { RandomStreams } from '../../../../server/tensorflow/random';
import { loadEngineForTests } from '../../native-engine';

beforeAll(loadEngineForTests);

const drawn = (target: GaussianGrid | Spiral, count: number): Float32Array =>
  tf.tidy(() => target.draw(count, new RandomStreams(1, tf.scalar(0))).dataSync() as Float32Array);

describe("the paper's 25 Gaussians", () => {
  const { data } = ganConfig.parse({ experiment: 'gan' });
  const target = new GaussianGrid(gaussianGrid.parse(data));

  it('are the default, 100,000 points on the means {-4, -2, 0, 2, 4} squared', () => {
    expect(createPointTarget(data)).toBeInstanceOf(GaussianGrid);
    expect(data.examples).toBe(100_000);
    const grid = [-4, -2, 0, 2, 4];
    expect([...target.means]).toEqual(grid.flatMap((x) => grid.map((y) => [x, y])));
  });

  it('have a standard deviation of 0.05 and a 25th of the points each', () => {
    const points = drawn(target, data.examples);
    expect(points).toHaveLength(200_000);
    const modes = target.means.map(() => ({ count: 0, sums: [0, 0], squares: 0, product: 0 }));
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = [points[i]!, points[i + 1]!];
      const mode = Math.round((x + 4) / 2) * 5 + Math.round((y + 4) / 2);
      const [dx, dy] = [x - target.means[mode]![0], y - target.means[mode]![1]];
      const counted = modes[mode]!;
      counted.count++;
      counted.sums[0]! += dx;
      counted.sums[1]! += dy;
      counted.squares += dx * dx + dy * dy;
      counted.product += dx * dy;
    }
    for (const { count, sums, squares, product } of modes) {
      expect(Math.abs(count - 4000)).toBeLessThan(5 * Math.sqrt(4000));
      expect(Math.abs(Math.sqrt(squares / (2 * count)) - 0.05)).toBeLessThan(0.002);
      for (const sum of sums) expect(Math.abs(sum / count)).toBeLessThan(0.004);
      expect(Math.abs(product / count)).toBeLessThan(0.0002);
    }
  });

  it('are covered perfectly by themselves', () => {
    const { modesCaptured, highQualityShare, reverseKl } = target.measure(drawn(target, 2500));
    expect(modesCaptured).toBe(25);
    expect(highQualityShare).toBeGreaterThan(0.98);
    expect(reverseKl).toBeLessThan(0.012);
  });

  it('name what they measure', () => {
    expect(Object.keys(target.measure(Float32Array.of(0, 0))).sort()).toEqual([...target.metricNames].sort());
    for (const { metric } of [...target.headline, target.best]) expect(target.metricNames).toContain(metric);
  });

  it('may have another side, spacing and width', () => {
    const four = new GaussianGrid(
      gaussianGrid.parse({ kind: 'gaussian-grid', side: 2, spacing: 6, standardDeviation: 0.5 }),
    );
    expect(four.means).toEqual([
      [-3, -3],
      [-3, 3],
      [3, -3],
      [3, 3],
    ]);
    const points = drawn(four, 10_000);
    const deviation = Math.sqrt(points.reduce((sum, v) => sum + (Math.abs(v) - 3) ** 2, 0) / points.length);
    expect(deviation).toBeCloseTo(0.5, 1.7);
  });
});

describe('the spiral', () => {
  const variants = [{}, { arms: 3 }, { cycles: 2, arms: 2, standardDeviation: 0.02 }];
  const targetOf = (config: object): Spiral => new Spiral(spiral.parse({ kind: 'spiral', ...config }));

  it.each(variants)('%o: radius (2t + 1) / 3 at angle 2 pi t + 2 pi k / arms, t uniform, plus noise', (config) => {
    const { arms, cycles, standardDeviation } = spiral.parse({ kind: 'spiral', ...config });
    const points = drawn(targetOf(config), 20_000);
    const byPart = new Map<string, number>();
    let squares = 0;
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = [points[i]!, points[i + 1]!];
      // The point of the curve with this angle that is nearest in radius, over arms and turns.
      const turn = Math.atan2(x, y) / (2 * Math.PI);
      let best = { off: Infinity, part: '' };
      for (let arm = 0; arm < arms; arm++)
        for (let whole = -1; whole <= cycles; whole++) {
          const t = turn - arm / arms + whole + (arm > 0 ? 1 : 0);
          const inside = Math.min(cycles, Math.max(0, t));
          const [radius, angle] = [(2 * inside + 1) / 3, 2 * Math.PI * (inside + arm / arms)];
          const off = Math.hypot(x - radius * Math.sin(angle), y - radius * Math.cos(angle));
          if (off < best.off) best = { off, part: `${arm} ${Math.min(9, Math.floor((10 * inside) / cycles))}` };
        }
      squares += best.off ** 2;
      byPart.set(best.part, (byPart.get(best.part) ?? 0) + 1);
    }
    // Along the radius there is one of the noise's two dimensions, and a little more where the curve is not a circle.
    expect(Math.sqrt(squares / 20_000) / standardDeviation).toBeGreaterThan(0.95);
    expect(Math.sqrt(squares / 20_000) / standardDeviation).toBeLessThan(1.15);
    expect(byPart.size).toBe(10 * arms);
    for (const count of byPart.values()) expect(Math.abs(count / (20_000 / (10 * arms)) - 1)).toBeLessThan(0.2);
  });

  it.each(variants)('%o: is covered by its own points', (config) => {
    const target = targetOf(config);
    const { highQualityShare, coverage } = target.measure(drawn(target, 2500));
    // Noise across the curve is one-dimensional: 99.7 % within three deviations.
    expect(highQualityShare).toBeGreaterThan(0.99);
    expect(coverage).toBeGreaterThan(0.98);
    expect(Object.keys(target.measure(Float32Array.of(0, 0))).sort()).toEqual([...target.metricNames].sort());
    for (const { metric } of [...target.headline, target.best]) expect(target.metricNames).toContain(metric);
  });

  it('is not covered by a part of it, by points beside it, or by what is no number', () => {
    const target = targetOf({});
    const points = drawn(target, 5000);
    const right = new Array<number>();
    for (let i = 0; i < points.length; i += 2) if (points[i]! > 0) right.push(points[i]!, points[i + 1]!);
    const half = target.measure(Float32Array.from(right));
    expect(half['coverage']).toBeGreaterThan(0.45);
    expect(half['coverage']).toBeLessThan(0.55);
    expect(target.measure(Float32Array.of(0, 0, 3, 3, NaN, NaN))).toEqual({ highQualityShare: 0, coverage: 0 });
  });
});
