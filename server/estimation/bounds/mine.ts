import * as tf from '@tensorflow/tfjs';
import type { Bound, PartitionTerm } from './bound';
import { logMeanExp, logMeanExpOf } from './log-mean-exp';

// Stands for "no batch seen yet"; far below any log of a mean of exponentials, and finite so that arithmetic on it is.
const NOT_STARTED = -1e37;

/**
 * The Donsker-Varadhan bound E_J[T] - log E_M[e^T] (paper, equations 10 and 11) with the bias-corrected gradient of
 * section 3.2: the batch's mean of e^T in the denominator is replaced by a moving average m.
 */
export class MineBound implements Bound {
  /** log m. In log space nothing overflows, whatever T is. */
  private readonly logAverage: tf.Variable;

  constructor(
    private readonly rate: number,
    name: string,
  ) {
    this.logAverage = tf.variable(tf.scalar(NOT_STARTED), false, `${name}/log-moving-average`);
  }

  value(joint: tf.Tensor, marginal: tf.Tensor): tf.Scalar {
    return tf.sub(tf.mean(joint), logMeanExp(marginal));
  }

  loss(joint: tf.Tensor, marginal: tf.Tensor): tf.Scalar {
    const average = this.updatedAverage(logMeanExp(marginal));
    this.logAverage.assign(average);
    // d/dtheta of mean(e^(T - log m)) with m held fixed is mean(e^T dT) / m: the corrected gradient.
    return tf.sub(tf.mean(tf.exp(tf.sub(marginal, average))), tf.mean(joint));
  }

  meters(): Readonly<Record<string, tf.Scalar>> {
    return { 'statistics.logMovingAverage': this.logAverage as unknown as tf.Scalar };
  }

  partition(marginal: Iterable<number>): PartitionTerm {
    const value = logMeanExpOf(marginal);
    return { value, influence: (t) => Math.exp(t - value) };
  }

  // log((1 - rate) m + rate * batch); the first batch starts it, so that the first gradient is the naive one.
  private updatedAverage(batch: tf.Scalar): tf.Scalar {
    return withoutGradient(() => {
      if (this.rate === 1) return batch;
      const old = tf.add(this.logAverage, Math.log1p(-this.rate));
      const fresh = tf.add(batch, Math.log(this.rate));
      const largest = tf.maximum(old, fresh);
      const moved = tf.add(largest, tf.log(tf.add(tf.exp(tf.sub(old, largest)), tf.exp(tf.sub(fresh, largest)))));
      return tf.where(tf.less(this.logAverage, NOT_STARTED / 10), batch, moved) as tf.Scalar;
    }, batch);
  }
}

/** A value that the gradient tape does not follow into `input`. */
function withoutGradient(compute: (input: tf.Scalar) => tf.Scalar, input: tf.Scalar): tf.Scalar {
  // The clone matters where `compute` returns its input: the tape would follow that very tensor, gradient and all.
  return tf.customGrad((x) => ({
    value: tf.clone(compute(x as tf.Scalar)),
    gradFunc: (dy: tf.Scalar) => tf.zerosLike(dy),
  }))(input);
}
