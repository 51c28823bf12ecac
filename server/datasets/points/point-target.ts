import type * as tf from '@tensorflow/tfjs';
import type { Metrics, Training } from '../../experiments/experiment';
import type { RandomStreams } from '../../tensorflow/random';

/** A distribution of points in the plane that a GAN is trained on, and how well samples cover it. */
export interface PointTarget {
  /** Draws `[count, 2]` points. */
  draw(count: number, random: RandomStreams): tf.Tensor;
  readonly metricNames: readonly string[];
  /** Those that the progress line shows. */
  readonly headline: Training['headline'];
  /** The one by which the best checkpoint is chosen. */
  readonly best: NonNullable<Training['best']>;
  /** Measures generated points, row-major `[count, 2]`. */
  measure(points: Float32Array): Metrics;
}
