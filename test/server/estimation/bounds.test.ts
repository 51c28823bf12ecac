import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Bound } from '../../../server/estimation/bounds/bound';
import { logMeanExp, logMeanExpOf } from '../../../server/estimation/bounds/log-mean-exp';
import { MineBound } from '../../../server/estimation/bounds/mine';
import { MineFBound } from '../../../server/estimation/bounds/mine-f';
import { createBound } from '../../../server/estimation/bounds/registry';
import { SeededRandom } from '../../../server/estimation/seeded-random';
import oracle from '../../oracle/bounds.json';
import { loadEngineForTests } from '../native-engine';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

const mine = (rate = 0.01): MineBound => new MineBound(rate, 'T');
const columnOf = (t: readonly number[]): tf.Tensor => tf.tensor2d([...t], [t.length, 1]);

function valueOf(bound: Bound, joint: readonly number[], marginal: readonly number[]): number {
  return tf.tidy(() => bound.value(columnOf(joint), columnOf(marginal)).dataSync()[0]!);
}

/** Derivatives of the training loss with respect to the outputs; moves the bound's average as a step does. */
function lossGradients(
  bound: Bound,
  joint: readonly number[],
  marginal: readonly number[],
): { joint: number[]; marginal: number[] } {
  return tf.tidy(() => {
    const [ofJoint, ofMarginal] = tf.grads((j: tf.Tensor, m: tf.Tensor) => bound.loss(j, m))([
      columnOf(joint),
      columnOf(marginal),
    ]);
    return { joint: [...ofJoint!.dataSync()], marginal: [...ofMarginal!.dataSync()] };
  });
}

function expectClose(actual: readonly number[], expected: readonly number[], relative = 1e-5): void {
  const scale = Math.max(...expected.map(Math.abs));
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(actual[i]! - value), `entry ${i}`).toBeLessThanOrEqual(relative * scale);
  });
}

describe.each(oracle.samples)('for outputs $name, as NumPy computes it', (sample) => {
  const { joint, marginal } = sample;

  it('the log of the mean exponential', () => {
    const tolerance = 2e-6 * Math.max(1, Math.abs(sample.logMeanExp));
    expect(Math.abs(logMeanExp(columnOf(marginal)).dataSync()[0]! - sample.logMeanExp)).toBeLessThan(tolerance);
    expect(logMeanExpOf(marginal)).toBeCloseTo(sample.logMeanExp, 9);
    expect(logMeanExpOf(Float32Array.from(marginal).reverse())).toBeCloseTo(sample.logMeanExp, 9);
  });

  it('the Donsker-Varadhan value, and its first gradient, which is the naive one', () => {
    const tolerance = 2e-6 * Math.max(1, ...marginal.map(Math.abs));
    expect(Math.abs(valueOf(mine(), joint, marginal) - sample.donskerVaradhan)).toBeLessThan(tolerance);
    tf.disposeVariables();
    const gradients = lossGradients(mine(), joint, marginal);
    expectClose(gradients.joint, sample.naiveGradient.joint);
    // At +-1000 a float32 has four decimals, and so has the exponent.
    expectClose(gradients.marginal, sample.naiveGradient.marginal, 1e-6 * Math.max(10, ...marginal.map(Math.abs)));
  });

  it('the f-divergence value and gradient, where they can be represented', () => {
    if (sample.fDivergence === undefined) {
      expect(valueOf(new MineFBound(), joint, marginal)).not.toBeNaN();
      return;
    }
    const tolerance = 2e-6 * Math.max(1, ...marginal.map(Math.abs));
    expect(Math.abs(valueOf(new MineFBound(), joint, marginal) - sample.fDivergence)).toBeLessThan(tolerance);
    const gradients = lossGradients(new MineFBound(), joint, marginal);
    expectClose(gradients.joint, sample.naiveGradient.joint);
    expectClose(gradients.marginal, sample.fDivergenceGradient);
  });

  it('MINE-f is never above Donsker-Varadhan', () => {
    const slack = 1e-6 * Math.max(1, ...marginal.map(Math.abs));
    expect(valueOf(new MineFBound(), joint, marginal)).toBeLessThanOrEqual(valueOf(mine(), joint, marginal) + slack);
  });
});

describe('the moving average that corrects the gradient', () => {
  const { rate, batches, logAverages, gradients } = oracle.movingAverage;
  const meter = (bound: Bound): number => bound.meters()['statistics.logMovingAverage']!.dataSync()[0]!;

  it('starts with the first batch and then equals the hand value, as do the corrected gradients', () => {
    const bound = mine(rate);
    batches.forEach((batch, step) => {
      const { marginal, joint } = lossGradients(bound, batch, batch);
      expect(meter(bound)).toBeCloseTo(logAverages[step]!, 5);
      expectClose(marginal, gradients[step]!);
      expectClose(
        joint,
        batch.map(() => -1 / batch.length),
      );
    });
  });

  it('is not touched by the value that is displayed or read out', () => {
    const bound = mine(rate);
    lossGradients(bound, batches[0]!, batches[0]!);
    const before = meter(bound);
    valueOf(bound, batches[1]!, batches[1]!);
    bound.partition(batches[1]!);
    expect(meter(bound)).toBe(before);
  });

  it.each([0.5, 0.1, 0.01])('of rate %d forgets a first batch to 1/e after 1 / rate others', (rate) => {
    const bound = mine(rate);
    const flat = (t: number): number[] => [t, t, t];
    lossGradients(bound, flat(0), flat(0));
    // The others contribute nothing, so that what is left of the first shows.
    const others = Math.round(1 / rate);
    for (let i = 0; i < others; i++) lossGradients(bound, flat(-200), flat(-200));
    expect(meter(bound)).toBeCloseTo(others * Math.log(1 - rate), 4);
  });

  it('of rate 1 leaves the naive gradient at every step', () => {
    const bound = mine(1);
    for (const batch of batches) {
      const exponentials = batch.map(Math.exp);
      const sum = exponentials.reduce((a, b) => a + b, 0);
      expectClose(
        lossGradients(bound, batch, batch).marginal,
        exponentials.map((e) => e / sum),
      );
    }
  });

  it('stays finite, with finite gradients, when the outputs jump between -1000 and 1000', () => {
    const bound = mine();
    for (const centre of [0, 1000, -1000, 1000, 0]) {
      const batch = [centre - 1, centre, centre + 1];
      const { marginal, joint } = lossGradients(bound, batch, batch);
      expect([...marginal, ...joint].every(Number.isFinite), `at ${centre}: ${marginal.join()}`).toBe(true);
      expect(meter(bound)).toSatisfy(Number.isFinite);
      expect(valueOf(bound, batch, batch)).toBeCloseTo(-Math.log((Math.exp(-1) + 1 + Math.E) / 3), 3);
    }
  });
});

describe('closed forms', () => {
  const rho = 0.9;
  const truth = -0.5 * Math.log(1 - rho ** 2);
  const logRatio = (x: number, z: number): number =>
    truth - (rho ** 2 * x ** 2 - 2 * rho * x * z + rho ** 2 * z ** 2) / (2 * (1 - rho ** 2));
  const random = new SeededRandom(1);
  const count = 400_000;
  const joint = new Array<number>();
  const marginal = new Array<number>();
  for (let i = 0; i < count; i++) {
    const x = random.normal();
    joint.push(logRatio(x, rho * x + Math.sqrt(1 - rho ** 2) * random.normal()));
    marginal.push(logRatio(x, random.normal()));
  }
  const shifted = (values: readonly number[], by: number): number[] => values.map((t) => t + by);

  it.each([-3, 0, 7])('the log-ratio plus %d makes Donsker-Varadhan return I', (constant) => {
    expect(valueOf(mine(), shifted(joint, constant), shifted(marginal, constant))).toBeCloseTo(truth, 1.8);
    expect(logMeanExpOf(shifted(marginal, constant)) - constant).toBeCloseTo(0, 1.8);
  });

  it('the log-ratio plus 1 makes MINE-f return I, any other constant less', () => {
    expect(valueOf(new MineFBound(), shifted(joint, 1), shifted(marginal, 1))).toBeCloseTo(truth, 1.8);
    for (const constant of [0, 2])
      expect(valueOf(new MineFBound(), shifted(joint, constant), shifted(marginal, constant))).toBeLessThan(
        truth - 0.2,
      );
  });

  it.each([-2, 0, 1, 3])(
    'a constant output of %d gives 0 for Donsker-Varadhan and at most 0 for MINE-f',
    (constant) => {
      const flat = new Array<number>(50).fill(constant);
      expect(valueOf(mine(), flat, flat)).toBeCloseTo(0, 6);
      tf.disposeVariables();
      const value = valueOf(new MineFBound(), flat, flat);
      if (constant === 1) expect(value).toBeCloseTo(0, 6);
      else expect(value).toBeLessThan(-0.3);
    },
  );
});

it('the configuration names the bound', () => {
  expect(createBound({ bound: 'mine', movingAverageRate: 0.01 }, 'T')).toBeInstanceOf(MineBound);
  expect(createBound({ bound: 'mine-f', movingAverageRate: 0.01 }, 'T')).toBeInstanceOf(MineFBound);
});

it('the log of a mean of exponentials is NaN for nothing and for NaN, and follows infinities', () => {
  expect(logMeanExpOf([])).toBeNaN();
  expect(logMeanExpOf([1, NaN, 2])).toBeNaN();
  expect(logMeanExpOf([NaN])).toBeNaN();
  expect(logMeanExpOf([Infinity, 1])).toBe(Infinity);
  expect(logMeanExpOf([-Infinity, 0])).toBeCloseTo(-Math.LN2, 12);
  expect(logMeanExpOf([-Infinity, -Infinity])).toBe(-Infinity);
});
