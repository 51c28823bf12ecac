import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AveragedNetwork } from '../../../server/networks/averaged-network';
import { DenseNetwork } from '../../../server/networks/dense-network';
import { loadEngineForTests } from '../native-engine';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

const source = (): DenseNetwork =>
  new DenseNetwork({
    name: 'network',
    inputs: 2,
    hidden: [4],
    outputs: 1,
    activation: 'relu',
    batchNormalization: true,
    seed: 1,
  });
const fill = (network: DenseNetwork, value: number): void => {
  for (const variable of network.variables) variable.assign(tf.fill(variable.shape, value));
};
const x = (): tf.Tensor =>
  tf.tensor2d([
    [1, -2],
    [0.5, 3],
    [-1, 0.25],
  ]);
const averageOfBias = (): number => tf.engine().registeredVariables['network-average/dense-2/bias']!.dataSync()[0]!;

describe('a network whose weights are averaged', () => {
  it('follows w <- d w + (1 - d) source, d = min(decay, (step + 1) / (step + 10))', () => {
    const network = source();
    const averaged = new AveragedNetwork(network, 0.5);
    let expected = network.variables.at(-1)!.dataSync()[0]!;
    for (let step = 0; step < 20; step++) {
      fill(network, step);
      averaged.follow(tf.scalar(step));
      const decay = Math.min(0.5, (step + 1) / (step + 10));
      expected = decay * expected + (1 - decay) * step;
      expect(averageOfBias()).toBeCloseTo(expected, 4);
    }
  });

  it('draws with the averaged weights and the statistics of the batch, and leaves its source alone', () => {
    const network = source();
    const averaged = new AveragedNetwork(network, 0.9);
    const before = network.apply(x(), 'train-without-averages').dataSync();
    expect(averaged.apply(x()).dataSync()).toEqual(before);
    fill(network, 0.5);
    expect(averaged.apply(x()).dataSync()).toEqual(before);
    averaged.follow(tf.scalar(0));
    expect(network.variables.every((variable) => variable.dataSync().every((w) => w === 0.5))).toBe(true);
    expect(averaged.apply(x()).dataSync()).not.toEqual(before);
  });

  it('is the source itself, running averages included, with a decay of 0', () => {
    const network = source();
    const averaged = new AveragedNetwork(network, 0);
    network.apply(x(), 'train');
    averaged.follow(tf.scalar(0));
    expect(averaged.apply(x()).dataSync()).toEqual(network.apply(x(), 'evaluate').dataSync());
    expect(Object.keys(tf.engine().registeredVariables).filter((name) => name.includes('average/'))).toEqual([]);
  });

  it('keeps no variable that nothing uses', () => {
    new AveragedNetwork(source(), 0.9);
    const names = Object.keys(tf.engine().registeredVariables).filter((name) => name.startsWith('network-average/'));
    expect(names.filter((name) => name.includes('running'))).toEqual([]);
  });
});
