import type * as tf from '@tensorflow/tfjs';
import type { Metrics } from '../../experiments/experiment';
import type { RandomStreams } from '../../tensorflow/random';

/** A distribution of points in the plane that a GAN is trained on, and how well samples cover it. */
export interface PointTarget {
  /** Draws `[count, 2]` points. */
  draw(count: number, random: RandomStreams): tf.Tensor;
  readonly metricNames: readonly string[];
  /** Measures generated points, row-major `[count, 2]`. */
  measure(points: Float32Array): Metrics;
}
