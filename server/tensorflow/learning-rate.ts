import * as tf from '@tensorflow/tfjs';

export type LearningRateSchedule = 'constant' | 'linear' | 'cosine';

/** The factor of the learning rate at a step of a run: 1 throughout, or from 1 down to 0 at its end. */
export function learningRateFactor(schedule: LearningRateSchedule, step: tf.Scalar, iterations: number): tf.Scalar {
  const progress = tf.div(step, iterations);
  switch (schedule) {
    case 'constant':
      return tf.scalar(1);
    case 'linear':
      return tf.sub(1, progress);
    case 'cosine':
      return tf.mul(tf.add(tf.cos(tf.mul(progress, Math.PI)), 1), 0.5);
  }
}
