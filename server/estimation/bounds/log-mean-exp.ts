import * as tf from '@tensorflow/tfjs';

/** log((1/n) sum e^t) over all entries, with the maximum taken out so that outputs of +-1000 stay finite. */
export function logMeanExp(t: tf.Tensor): tf.Scalar {
  // The maximum cancels in value and in gradient, so its own gradient is never computed.
  const { shape } = t;
  const largest = tf.customGrad((x) => ({ value: tf.max(x as tf.Tensor), gradFunc: () => tf.zeros(shape) }))(t);
  return tf.add(tf.log(tf.mean(tf.exp(tf.sub(t, largest)))), largest);
}

/** The same in float64 outside of TensorFlow; NaN when there is nothing to average or an entry is NaN. */
export function logMeanExpOf(values: Iterable<number>): number {
  let largest = -Infinity;
  let sum = 0;
  let count = 0;
  for (const value of values) {
    count++;
    if (value > largest) {
      sum = sum * Math.exp(largest - value) + 1;
      largest = value;
    } else sum += value === largest ? 1 : Math.exp(value - largest);
  }
  return count === 0 ? NaN : largest + Math.log(sum / count);
}
