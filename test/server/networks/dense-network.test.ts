import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DenseNetwork, type DenseNetworkOptions, type Pass } from '../../../server/networks/dense-network';
import type { Activation } from '../../../server/tensorflow/activations';
import oracle from '../../oracle/dense-network.json';
import { loadEngineForTests } from '../native-engine';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

interface Value {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
type Case = (typeof oracle)[number];
type ByName = Readonly<Record<string, Value>>;

const tensorOf = ({ shape, values }: Value): tf.Tensor => tf.tensor([...values], [...shape]);
const registered = (name: string): tf.Variable => tf.engine().registeredVariables[name]!;

/** The oracle's network, with its parameters and running averages. */
function networkOf(sample: Case): DenseNetwork {
  const network = new DenseNetwork({
    ...sample,
    activation: sample.activation as Activation,
    name: 'network',
    seed: 1,
  });
  for (const [name, value] of Object.entries(sample.parameters as ByName))
    registered(`network/${name}`).assign(tensorOf(value));
  return network;
}

function expectClose(tensor: tf.Tensor, expected: Value): void {
  expect(tensor.shape).toEqual(expected.shape);
  const scale = Math.max(...expected.values.map(Math.abs));
  tensor.dataSync().forEach((value, i) => {
    expect(Math.abs(value - expected.values[i]!), `entry ${i}`).toBeLessThanOrEqual(2e-6 * scale);
  });
}

describe.each(oracle)('$hidden units of $activation, batch normalisation $batchNormalization', (sample) => {
  const hasAverages = Object.keys(sample.runningAfterwards).length > 0;

  it('goes forward as NumPy does, with the statistics of the batch and with the running ones', () => {
    const network = networkOf(sample);
    expectClose(network.apply(tensorOf(sample.x), 'train-without-averages'), sample.output);
    expectClose(network.apply(tensorOf(sample.x), 'evaluate'), sample.evaluated);
    expectClose(network.apply(tensorOf(sample.x)), sample.output);
  });

  it('goes backward as NumPy does, through the statistics of the batch too', () => {
    const network = networkOf(sample);
    const objective = (x: tf.Tensor): tf.Scalar =>
      tf.sum(tf.mul(network.apply(x, 'train-without-averages'), tensorOf(sample.weight)));
    const { grads } = tf.variableGrads(() => objective(tensorOf(sample.x)), [...network.variables]);
    const gradients = Object.entries(sample.gradients as ByName);
    expect(network.variables.map(({ name }) => name).sort()).toEqual(
      gradients.map(([name]) => `network/${name}`).sort(),
    );
    // A bias before batch normalisation has no gradient; what rounding leaves is small beside the others.
    const scale = Math.max(...gradients.flatMap(([, { values }]) => values.map(Math.abs)));
    for (const [name, { values }] of gradients)
      grads[`network/${name}`]!.dataSync().forEach((value, i) => {
        expect(Math.abs(value - values[i]!), `${name}, entry ${i}`).toBeLessThanOrEqual(3e-6 * scale);
      });
    expectClose(tf.grad(objective)(tensorOf(sample.x)), sample.gradientOfX);
  });

  it('moves the running averages in the pass "train" only', () => {
    const network = networkOf(sample);
    const averages = (): ByName =>
      Object.fromEntries(
        Object.keys(sample.runningAfterwards).map((name) => {
          const { shape } = registered(`network/${name}`);
          return [name, { shape, values: [...registered(`network/${name}`).dataSync()] }];
        }),
      );
    const before = averages();
    const pass = (kind: Pass): void => {
      network.apply(tensorOf(sample.x), kind);
    };
    pass('evaluate');
    pass('train-without-averages');
    expect(averages()).toEqual(before);
    pass('train');
    for (const [name, expected] of Object.entries(sample.runningAfterwards as ByName))
      expectClose(registered(`network/${name}`), expected);
    if (hasAverages) expect(averages()).not.toEqual(before);
  });
});

describe('a new network', () => {
  const options: DenseNetworkOptions = {
    name: 'network',
    inputs: 100,
    hidden: [400],
    outputs: 25,
    activation: 'relu',
    batchNormalization: true,
    seed: 5,
  };
  const valuesOf = (variable: tf.Variable): Float32Array => variable.dataSync() as Float32Array;

  it('starts uniform within 1 / sqrt(inputs of the layer), all layers apart', () => {
    new DenseNetwork(options);
    for (const [layer, inputs] of [
      ['dense-1', 100],
      ['dense-2', 400],
    ] as const) {
      const limit = 1 / Math.sqrt(inputs);
      const weights = valuesOf(registered(`network/${layer}/kernel`));
      const variance = weights.reduce((sum, w) => sum + w * w, 0) / weights.length;
      expect(weights.every((w) => Math.abs(w) <= limit)).toBe(true);
      expect(Math.max(...weights)).toBeGreaterThan(0.99 * limit);
      expect(Math.min(...weights)).toBeLessThan(-0.99 * limit);
      expect(variance / (limit ** 2 / 3)).toBeCloseTo(1, 1);
    }
    const [first, second] = ['dense-1', 'dense-2'].map((layer) => valuesOf(registered(`network/${layer}/kernel`)));
    expect(first!.slice(0, 5).map((w) => w * 10)).not.toEqual(second!.slice(0, 5).map((w) => w * 20));
  });

  it('has the same weights for the same seed and name, others for another seed or name', () => {
    const weightsFor = (changed: Partial<DenseNetworkOptions>): Float32Array[] => {
      const weights = new DenseNetwork({ ...options, ...changed }).variables.map(valuesOf);
      tf.disposeVariables();
      return weights;
    };
    expect(weightsFor({})).toEqual(weightsFor({}));
    expect(weightsFor({ seed: 6 })[0]).not.toEqual(weightsFor({})[0]);
    expect(weightsFor({ name: 'other' })[0]).not.toEqual(weightsFor({})[0]);
  });

  it('copies its form and weights into variables of their own', () => {
    const network = new DenseNetwork(options);
    const copy = network.copy('copy');
    expect(copy.variables.map(valuesOf)).toEqual(network.variables.map(valuesOf));
    expect(copy.variables.map(({ name }) => name)).toEqual(
      network.variables.map(({ name }) => name.replace('network', 'network-copy')),
    );
    copy.variables[0]!.assign(tf.zerosLike(copy.variables[0]!));
    expect(valuesOf(network.variables[0]!)).not.toEqual(valuesOf(copy.variables[0]!));
  });
});
