import * as tf from '@tensorflow/tfjs';
import type { OptimizerConfig } from '../config/common';
import { DenseNetwork, type DenseNetworkOptions } from '../networks/dense-network';
import { gradientsOf } from '../tensorflow/gradients';
import { createOptimizer, type Optimizer } from '../tensorflow/optimizers';
import type { Bound } from './bounds/bound';
import { type BoundConfig, createBound } from './bounds/registry';

/** T: a dense network on [x, z] with a scalar output, the bound that is read from it, and its own optimiser. */
export class StatisticsNetwork {
  readonly bound: Bound;
  readonly network: DenseNetwork;
  private readonly optimizer: Optimizer;

  constructor(options: Omit<DenseNetworkOptions, 'name' | 'outputs'>, bound: BoundConfig, optimizer: OptimizerConfig) {
    this.network = new DenseNetwork({ ...options, name: 'statistics', outputs: 1 });
    this.bound = createBound(bound, 'statistics');
    this.optimizer = createOptimizer(optimizer, this.network.variables, 'statistics-optimizer');
  }

  /** T(x, z) for `[batch, dx]` and `[batch, dz]`: `[batch, 1]`. */
  score(x: tf.Tensor, z: tf.Tensor): tf.Tensor {
    return this.network.apply(tf.concat([x, z], 1));
  }

  /** T on joint pairs (x, z) and on marginal pairs (x, zMarginal), in one pass through the network. */
  scores(x: tf.Tensor, z: tf.Tensor, zMarginal: tf.Tensor): { joint: tf.Tensor; marginal: tf.Tensor } {
    const batch = x.shape[0];
    const both = tf.concat([tf.concat([x, z], 1), tf.concat([x, zMarginal], 1)], 0);
    const t = this.network.apply(both);
    return { joint: tf.slice(t, [0, 0], [batch, 1]), marginal: tf.slice(t, [batch, 0], [batch, 1]) };
  }

  /** The bound on this batch; its gradient reaches x and z. */
  value(x: tf.Tensor, z: tf.Tensor, zMarginal: tf.Tensor): tf.Scalar {
    const { joint, marginal } = this.scores(x, z, zMarginal);
    return this.bound.value(joint, marginal);
  }

  /** One ascent step of T on the bound (Algorithm 1); returns the bound on this batch before the step. */
  train(x: tf.Tensor, z: tf.Tensor, zMarginal: tf.Tensor, rateFactor: tf.Scalar): tf.Scalar {
    let value: tf.Scalar | undefined;
    const { gradients } = gradientsOf(() => {
      const { joint, marginal } = this.scores(x, z, zMarginal);
      value = tf.keep(this.bound.value(joint, marginal));
      return this.bound.loss(joint, marginal);
    }, this.network.variables);
    this.optimizer.apply(gradients, rateFactor);
    // Kept across the gradient's own scope; from here on the caller's scope owns it.
    const result = tf.clone(value!);
    value!.dispose();
    return result;
  }
}
