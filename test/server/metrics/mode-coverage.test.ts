import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../server/estimation/seeded-random';
import { klToUniform, MODE_METRIC_NAMES, modeCoverage } from '../../../server/metrics/mode-coverage';
import oracle from '../../oracle/mode-coverage.json';

const MEANS = [-4, -2, 0, 2, 4].flatMap((x) => [-4, -2, 0, 2, 4].map((y) => [x, y] as const));
const DEVIATION = 0.05;
const coverageOf = (points: readonly number[]) => modeCoverage(Float32Array.from(points), MEANS, DEVIATION);

describe('on the grid of 25 Gaussians', () => {
  it.each(oracle)('$name: as NumPy and SciPy have it', (sample) => {
    const coverage = coverageOf(sample.points);
    expect(Object.keys(coverage).sort()).toEqual([...MODE_METRIC_NAMES].sort());
    for (const name of MODE_METRIC_NAMES) expect(coverage[name], name).toBeCloseTo(sample[name], 9);
  });

  it('a perfect sampler has 25 modes, 1 - e^-4.5 = 98.9 % high quality and a KL of about 24 / 5,000 at 2,500 samples', () => {
    const random = new SeededRandom(1);
    const rounds = Array.from({ length: 40 }, () =>
      coverageOf(
        Array.from({ length: 2500 }, () =>
          MEANS[random.below(25)]!.map((mean) => mean + DEVIATION * random.normal()),
        ).flat(),
      ),
    );
    const mean = (name: (typeof MODE_METRIC_NAMES)[number]): number =>
      rounds.reduce((sum, round) => sum + round[name], 0) / rounds.length;
    expect(rounds.every((round) => round.modesCaptured === 25)).toBe(true);
    expect(Math.abs(mean('highQualityShare') - (1 - Math.exp(-4.5)))).toBeLessThan(0.001);
    expect(Math.abs(mean('reverseKl') - 24 / 5000)).toBeLessThan(0.0006);
  });

  it('three standard deviations are the limit', () => {
    expect(coverageOf([0.149, 0]).highQualityShare).toBe(1);
    expect(coverageOf([0.151, 0]).highQualityShare).toBe(0);
    // The distance is Euclidean: each coordinate alone is within three.
    expect(coverageOf([0.12, 0.12]).highQualityShare).toBe(0);
  });

  it('a mode counts as captured by a single good sample, and by bad ones never', () => {
    expect(coverageOf([0, 0]).modesCaptured).toBe(1);
    expect(coverageOf([0, 0, 2, 2]).modesCaptured).toBe(2);
    expect(coverageOf([0.4, 0, 0, 0.4]).modesCaptured).toBe(0);
  });

  it('samples that are not numbers are of no quality, spoil the share, and make no metric NaN', () => {
    const { modesCaptured, highQualityShare, reverseKl, jensenShannon } = coverageOf([
      0,
      0,
      NaN,
      0,
      0,
      NaN,
      Infinity,
      NaN,
    ]);
    expect([modesCaptured, highQualityShare]).toEqual([1, 0.25]);
    expect(reverseKl).toBeGreaterThan(0);
    expect(jensenShannon).toBeGreaterThan(0);
    expect(coverageOf([NaN, NaN])).toMatchObject({ modesCaptured: 0, highQualityShare: 0, reverseKl: Math.log(25) });
  });
});

it('KL to uniform is 0 for uniform shares, ln K for a single one, and skips empty cells', () => {
  expect(klToUniform([0.25, 0.25, 0.25, 0.25])).toBe(0);
  expect(klToUniform([0, 1, 0, 0])).toBeCloseTo(Math.log(4), 12);
  expect(klToUniform([0.5, 0.5, 0, 0])).toBeCloseTo(Math.LN2, 12);
});
