import type * as tf from '@tensorflow/tfjs';

/**
 * A variational lower bound on the mutual information, read from a statistics network's outputs `joint` on pairs of the
 * joint distribution and `marginal` on pairs of the product of the marginals, both `[batch, 1]` or `[batch]`. Nats.
 */
export interface Bound {
  /** The bound on this sample; gradients flow through it. */
  value(joint: tf.Tensor, marginal: tf.Tensor): tf.Scalar;
  /** The loss whose gradient trains the statistics network. It may update the bound's own variables: called once per step, never to read out. */
  loss(joint: tf.Tensor, marginal: tf.Tensor): tf.Scalar;
  /** Values of the bound's own variables that are worth watching, by name. */
  meters(): Readonly<Record<string, tf.Scalar>>;
  /** The partition term for outputs on marginal pairs, in float64 and outside of TensorFlow, as a read-out subtracts it from the mean over joint pairs. */
  partition(marginal: Iterable<number>): PartitionTerm;
}

export interface PartitionTerm {
  readonly value: number;
  /** Derivative of the term with respect to the weight of a pair whose output is `t`; the influence of one pair on the read-out. */
  influence(t: number): number;
}
