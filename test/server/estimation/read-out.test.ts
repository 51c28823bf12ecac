import { beforeAll, describe, expect, it } from 'vitest';
import type { Bound } from '../../../server/estimation/bounds/bound';
import { createBound } from '../../../server/estimation/bounds/registry';
import { heldOutEstimate, type HeldOutScores, spreadShifts } from '../../../server/estimation/read-out';
import { SeededRandom } from '../../../server/estimation/seeded-random';
import oracle from '../../oracle/bounds.json';
import { loadEngineForTests } from '../native-engine';

let bounds: Record<'mine' | 'mine-f', Bound>;
beforeAll(async () => {
  await loadEngineForTests();
  const of = (bound: 'mine' | 'mine-f'): Bound => createBound({ bound, movingAverageRate: 0.01 }, bound);
  bounds = { mine: of('mine'), 'mine-f': of('mine-f') };
});

interface Critic {
  readonly dimension: number;
  readonly rho: number;
  /** Times the true log-ratio, plus `constant`. */
  readonly slope?: number;
  readonly constant?: number;
}

/** Scores of a fixed critic on a fresh block of correlated Gaussians. */
function freshBlock(critic: Critic, count: number, shifts: number, random: SeededRandom): HeldOutScores {
  const { dimension, rho, slope = 1, constant = 0 } = critic;
  const normals = (): Float64Array => Float64Array.from({ length: count * dimension }, () => random.normal());
  const x = normals();
  const z = normals().map((e, i) => rho * x[i]! + Math.sqrt(1 - rho ** 2) * e);
  const score = (i: number, j: number): number => {
    let sum = (-dimension / 2) * Math.log(1 - rho ** 2);
    for (let k = 0; k < dimension; k++) {
      const [a, b] = [x[i * dimension + k]!, z[j * dimension + k]!];
      sum -= (rho ** 2 * (a * a + b * b) - 2 * rho * a * b) / (2 * (1 - rho ** 2));
    }
    return slope * sum + constant;
  };
  const rows = Array.from({ length: count }, (_, i) => i);
  return {
    joint: rows.map((i) => score(i, i)),
    marginal: spreadShifts(shifts, count).map((shift) => ({
      shift,
      scores: rows.map((i) => score(i, (i + shift) % count)),
    })),
  };
}

describe('a read-out of two blocks and three shifts', () => {
  it.each(['mine', 'mine-f'] as const)('for %s has the value and the standard error that NumPy finds', (bound) => {
    const { estimate, standardError, interval } = heldOutEstimate(oracle.readOut.blocks, bounds[bound]);
    const expected = oracle.readOut[bound];
    expect(estimate).toBeCloseTo(expected.estimate, 9);
    expect(standardError).toBeCloseTo(expected.standardError, 6);
    expect(interval[0]).toBeCloseTo(estimate - 1.96 * standardError, 12);
    expect(interval[1]).toBeCloseTo(estimate + 1.96 * standardError, 12);
  });

  it('takes one logarithm over all pairs, not a mean of values of blocks, which is higher', () => {
    const { blocks } = oracle.readOut;
    const alone = blocks.map((block) => heldOutEstimate([block], bounds.mine).estimate);
    const together = heldOutEstimate(blocks, bounds.mine).estimate;
    const scores = blocks.flatMap(({ marginal }) => marginal.flatMap((shifted) => shifted.scores));
    const joint = blocks.flatMap((block) => block.joint);
    const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
    expect(together).toBeCloseTo(mean(joint) - Math.log(mean(scores.map(Math.exp))), 12);
    expect(mean(alone)).toBeGreaterThan(together);
  });
});

describe('on fresh samples', () => {
  it('the true log-ratio plus any constant reads I for Donsker-Varadhan', () => {
    const truth = -Math.log(1 - 0.8 ** 2);
    const block = freshBlock({ dimension: 2, rho: 0.8, constant: 5 }, 50_000, 10, new SeededRandom(1));
    const { estimate, standardError } = heldOutEstimate([block], bounds.mine);
    expect(Math.abs(estimate - truth)).toBeLessThan(4 * standardError);
    expect(standardError).toBeLessThan(0.01);
  });

  it('a constant critic reads exactly 0, without error', () => {
    const block = freshBlock({ dimension: 1, rho: 0.8, slope: 0, constant: 3 }, 100, 10, new SeededRandom(1));
    const { estimate, standardError } = heldOutEstimate([block], bounds.mine);
    expect(estimate).toBeCloseTo(0, 12);
    expect(standardError).toBeCloseTo(0, 12);
  });

  it('outputs of +-1000 read a finite value', () => {
    const { estimate, standardError } = heldOutEstimate(
      [{ joint: [1000, -1000, 1000], marginal: [{ shift: 1, scores: [-1000, 1000, -1000] }] }],
      bounds.mine,
    );
    expect(estimate).toBeCloseTo(1000 / 3 - 1000 + Math.log(3), 6);
    expect(standardError).toSatisfy(Number.isFinite);
  });

  it('an output that is not a number shows: nothing is dropped', () => {
    const { estimate } = heldOutEstimate(
      [{ joint: [1, 2, 3], marginal: [{ shift: 1, scores: [0, NaN, 0] }] }],
      bounds.mine,
    );
    expect(estimate).toBeNaN();
  });
});

describe('the standard error', () => {
  const cases: (Critic & { bound: 'mine' | 'mine-f'; count: number; shifts: number; name: string })[] = [
    { name: 'the true log-ratio', bound: 'mine', dimension: 1, rho: 0.9, count: 500, shifts: 10 },
    { name: 'the true log-ratio, one shift', bound: 'mine', dimension: 1, rho: 0.9, count: 500, shifts: 1 },
    { name: 'the true log-ratio, weak dependence', bound: 'mine', dimension: 1, rho: 0.3, count: 500, shifts: 10 },
    { name: 'a critic that is too flat', bound: 'mine', dimension: 3, rho: 0.7, slope: 0.6, count: 500, shifts: 10 },
    {
      name: 'a critic of a few good dimensions',
      bound: 'mine',
      dimension: 8,
      rho: 0.5,
      slope: 0.8,
      count: 1000,
      shifts: 10,
    },
    { name: 'MINE-f', bound: 'mine-f', dimension: 1, rho: 0.8, constant: 1, count: 500, shifts: 10 },
  ];

  it.each(cases)(
    'of $name ($bound, $shifts shifts) is the spread over fresh samples, to 20 %',
    ({ bound, count, shifts, ...critic }) => {
      const random = new SeededRandom(7);
      const rounds = Array.from({ length: 400 }, () =>
        heldOutEstimate([freshBlock(critic, count, shifts, random)], bounds[bound]),
      );
      const mean = rounds.reduce((sum, { estimate }) => sum + estimate, 0) / rounds.length;
      const spread = Math.sqrt(
        rounds.reduce((sum, { estimate }) => sum + (estimate - mean) ** 2, 0) / (rounds.length - 1),
      );
      const claimed = Math.sqrt(rounds.reduce((sum, { standardError }) => sum + standardError ** 2, 0) / rounds.length);
      expect(claimed / spread).toBeGreaterThan(0.8);
      expect(claimed / spread).toBeLessThan(1.2);
      // And so the interval holds the mean about 95 times in a hundred.
      const holds = rounds.filter(({ interval }) => interval[0] <= mean && mean <= interval[1]).length / rounds.length;
      expect(holds).toBeGreaterThan(0.9);
    },
  );

  it('shrinks with the number of pairs and of blocks alike', () => {
    const errorOf = (count: number, blocks: number): number => {
      const random = new SeededRandom(3);
      const drawn = Array.from({ length: blocks }, () => freshBlock({ dimension: 1, rho: 0.7 }, count, 10, random));
      return heldOutEstimate(drawn, bounds.mine).standardError;
    };
    expect(errorOf(1000, 1) / errorOf(16_000, 1)).toBeCloseTo(4, 0.3);
    expect(errorOf(1000, 16) / errorOf(16_000, 1)).toBeCloseTo(1, 0.7);
  });
});

describe('the shifts', () => {
  it.each([
    [10, 500],
    [10, 11],
    [1, 2],
    [7, 1000],
  ])('%i of %i pairs are different, never 0, and spread over all', (count, examples) => {
    const shifts = spreadShifts(count, examples);
    expect(shifts).toHaveLength(count);
    expect(new Set(shifts).size).toBe(count);
    for (const shift of shifts) {
      expect(shift % examples).not.toBe(0);
      expect(shift).toBeLessThan(examples);
      expect(Number.isInteger(shift)).toBe(true);
    }
    if (count > 1)
      expect(Math.max(...shifts) - Math.min(...shifts)).toBeGreaterThan(0.8 * (examples - 2) * (1 - 1 / count));
  });

  it('are as many as there are where more are asked for', () => {
    expect(spreadShifts(10, 4)).toEqual([1, 2, 3]);
  });
});
