import * as tf from '@tensorflow/tfjs';
import { type Activation, activate } from '../tensorflow/activations';
import { RandomStreams } from '../tensorflow/random';
import { BatchNormalization } from './batch-normalization';

export interface DenseNetworkOptions {
  /** Prefix of the variables' names. */
  readonly name: string;
  readonly inputs: number;
  /** Widths of the hidden layers. */
  readonly hidden: readonly number[];
  readonly outputs: number;
  readonly activation: Activation;
  readonly leakiness?: number;
  readonly batchNormalization?: boolean;
  /** Whether batch normalisation keeps running averages, which the pass `evaluate` needs; true by default. */
  readonly runningAverages?: boolean;
  /** Seed of the initial weights. */
  readonly seed: number;
}

/** How batch normalisation treats a forward pass; see `BatchNormalization.apply`. */
export type Pass = 'train' | 'train-without-averages' | 'evaluate';

interface Layer {
  readonly kernel: tf.Variable;
  readonly bias: tf.Variable;
  readonly normalization: BatchNormalization | undefined;
}

/** A fully connected network with linear outputs. Weights start uniform within 1/sqrt(inputs of the layer), biases too. */
export class DenseNetwork {
  /** What training changes: kernels, biases, and the scales and offsets of batch normalisation. */
  readonly variables: readonly tf.Variable[];
  private readonly layers: readonly Layer[];

  constructor(private readonly options: DenseNetworkOptions) {
    const { name, inputs, hidden, outputs, seed } = options;
    const widths = [inputs, ...hidden, outputs];
    const random = new RandomStreams(seed, tf.scalar(0));
    this.layers = widths.slice(1).map((width, i) => {
      const layer = `${name}/dense-${i + 1}`;
      const limit = 1 / Math.sqrt(widths[i]!);
      const initial = (shape: number[], part: string): tf.Variable =>
        tf.tidy(() =>
          tf.variable(
            tf.mul(tf.sub(tf.mul(random.uniform(shape, `${layer}/${part}`), 2), 1), limit),
            true,
            `${layer}/${part}`,
          ),
        );
      const normalized = options.batchNormalization === true && i < hidden.length;
      return {
        kernel: initial([widths[i]!, width], 'kernel'),
        bias: initial([width], 'bias'),
        normalization: normalized
          ? new BatchNormalization(`${layer}/batch-normalization`, width, options.runningAverages)
          : undefined,
      };
    });
    this.variables = this.layers.flatMap(({ kernel, bias, normalization }) => [
      kernel,
      bias,
      ...(normalization?.variables ?? []),
    ]);
  }

  /** A network of the same form and the same weights, with variables of its own under `NAME-suffix`; without running averages. */
  copy(suffix: string): DenseNetwork {
    const copy = new DenseNetwork({ ...this.options, name: `${this.options.name}-${suffix}`, runningAverages: false });
    copy.variables.forEach((variable, i) => {
      variable.assign(this.variables[i]!);
    });
    return copy;
  }

  /** `[batch, inputs]` to `[batch, outputs]`. */
  apply(x: tf.Tensor, pass: Pass = 'train'): tf.Tensor {
    return this.layers.reduce((h, { kernel, bias, normalization }, i) => {
      let next: tf.Tensor = tf.add(tf.matMul(h as tf.Tensor2D, kernel as tf.Tensor2D), bias);
      if (normalization !== undefined) next = normalization.apply(next, pass);
      return i < this.options.hidden.length ? activate(next, this.options.activation, this.options.leakiness) : next;
    }, x);
  }
}
