import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { StatisticsNetwork } from '../../../server/estimation/statistics-network';
import { loadEngineForTests } from '../native-engine';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

const create = (bound: 'mine' | 'mine-f' = 'mine'): StatisticsNetwork =>
  new StatisticsNetwork(
    { inputs: 3, hidden: [6], activation: 'elu', seed: 2 },
    { bound, movingAverageRate: 0.1 },
    { kind: 'sgd', learningRate: 0.1 },
  );
const x = (): tf.Tensor => tf.tensor2d([[1], [-2], [0.5], [3]]);
const z = (): tf.Tensor =>
  tf.tensor2d([
    [1, 0],
    [0, -1],
    [2, 2],
    [-1, 0.5],
  ]);
const other = (): tf.Tensor =>
  tf.tensor2d([
    [0, -1],
    [2, 2],
    [-1, 0.5],
    [1, 0],
  ]);
const numbers = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

describe('a statistics network', () => {
  it('scores joint and marginal pairs in one pass as it would one after the other', () => {
    const T = create();
    const { joint, marginal } = T.scores(x(), z(), other());
    expect([joint.shape, marginal.shape]).toEqual([
      [4, 1],
      [4, 1],
    ]);
    for (const [together, alone] of [
      [joint, T.score(x(), z())],
      [marginal, T.score(x(), other())],
    ] as const)
      numbers(together).forEach((t, i) => {
        expect(t).toBeCloseTo(numbers(alone)[i]!, 6);
      });
  });

  it.each(['mine', 'mine-f'] as const)(
    '%s: a step raises the bound on its batch and returns the bound before it',
    (bound) => {
      const T = create(bound);
      for (let step = 0; step < 20; step++) {
        const before = T.value(x(), z(), other()).dataSync()[0]!;
        expect(T.train(x(), z(), other(), tf.scalar(1)).dataSync()[0]).toBeCloseTo(before, 6);
        expect(T.value(x(), z(), other()).dataSync()[0]).toBeGreaterThan(before);
      }
    },
  );

  it('takes no step at a rate factor of 0', () => {
    const T = create();
    const before = T.network.variables.map((variable) => numbers(variable));
    T.train(x(), z(), other(), tf.scalar(0));
    expect(T.network.variables.map((variable) => numbers(variable))).toEqual(before);
  });

  it('lets the gradient of the bound through to x and z, as finite differences have it', () => {
    const T = create();
    const value = (a: tf.Tensor, b: tf.Tensor): tf.Scalar => T.value(a, b, other());
    const [ofX, ofZ] = tf.grads(value)([x(), z()]);
    const h = 1e-2;
    const slope = (tensor: tf.Tensor, i: number, at: (moved: tf.Tensor) => tf.Scalar): number => {
      const moved = (by: number): tf.Tensor =>
        tf.tensor(
          numbers(tensor).map((v, j) => (j === i ? v + by : v)),
          tensor.shape,
        );
      return (at(moved(h)).dataSync()[0]! - at(moved(-h)).dataSync()[0]!) / (2 * h);
    };
    numbers(ofX!).forEach((g, i) => {
      expect(g).toBeCloseTo(
        slope(x(), i, (a) => value(a, z())),
        3,
      );
    });
    numbers(ofZ!).forEach((g, i) => {
      expect(g).toBeCloseTo(
        slope(z(), i, (b) => value(x(), b)),
        3,
      );
    });
    expect(Math.max(...numbers(ofX!).map(Math.abs))).toBeGreaterThan(0.01);
  });

  it('leaves no tensor behind after a step', () => {
    const T = create();
    tf.tidy(() => {
      T.train(x(), z(), other(), tf.scalar(1));
    });
    const before = tf.memory().numTensors;
    for (let step = 0; step < 3; step++)
      tf.tidy(() => {
        T.train(x(), z(), other(), tf.scalar(1));
      });
    expect(tf.memory().numTensors).toBe(before);
  });
});
