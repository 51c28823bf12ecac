import * as tf from '@tensorflow/tfjs';

export interface AdaptiveClipping {
  readonly adversarialNorm: tf.Scalar;
  readonly informationNorm: tf.Scalar;
  /** ||g_m|| / ||g_u||, before clipping. */
  readonly ratio: tf.Scalar;
  /** What g_m is multiplied with: min(||g_u||, ||g_m||) / ||g_m||, never above 1; 0 where g_m is zero. */
  readonly factor: tf.Scalar;
  /** 1 where the factor is below 1, else 0. With clipping off: where it would have been. */
  readonly clipped: tf.Scalar;
}

// Norms below this are zero: dividing by them would make the factor infinite or not a number.
const SMALLEST_NORM = 1e-30;

/**
 * Adaptive gradient clipping (paper, equation 21): g_a = min(||g_u||, ||g_m||) g_m / ||g_m||, with one global norm of each
 * gradient over all of the generator's parameters. The gradient of the mutual information is never scaled up.
 */
export function clipAdaptively(
  adversarialNorm: tf.Scalar,
  informationNorm: tf.Scalar,
  clipping: 'adaptive' | 'none',
): AdaptiveClipping {
  const factor = tf.div<tf.Scalar>(
    tf.minimum(adversarialNorm, informationNorm),
    tf.maximum(informationNorm, SMALLEST_NORM),
  );
  return {
    adversarialNorm,
    informationNorm,
    ratio: tf.div<tf.Scalar>(informationNorm, tf.maximum(adversarialNorm, SMALLEST_NORM)),
    factor: clipping === 'adaptive' ? factor : tf.scalar(1),
    clipped: tf.cast(tf.greater(informationNorm, adversarialNorm), 'float32') as tf.Scalar,
  };
}
