import * as tf from '@tensorflow/tfjs';
import type { Bound, PartitionTerm } from './bound';

/**
 * MINE-f, the f-divergence bound E_J[T] - E_M[e^(T-1)] (paper, equation 8). Its minibatch gradient is unbiased and needs no
 * correction; for the same T it is never above Donsker-Varadhan.
 */
export class MineFBound implements Bound {
  value(joint: tf.Tensor, marginal: tf.Tensor): tf.Scalar {
    return tf.sub(tf.mean(joint), tf.mean(tf.exp(tf.sub(marginal, 1))));
  }

  loss(joint: tf.Tensor, marginal: tf.Tensor): tf.Scalar {
    return tf.neg(this.value(joint, marginal));
  }

  meters(): Readonly<Record<string, tf.Scalar>> {
    return {};
  }

  partition(marginal: Iterable<number>): PartitionTerm {
    let sum = 0;
    let count = 0;
    for (const t of marginal) {
      sum += Math.exp(t - 1);
      count++;
    }
    return { value: sum / count, influence: (t) => Math.exp(t - 1) };
  }
}
