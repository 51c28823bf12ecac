import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { spiral } from '../../config/gan';
import type { Metrics } from '../../experiments/experiment';
import type { RandomStreams } from '../../tensorflow/random';
import type { PointTarget } from './point-target';

const SEGMENTS_PER_ARM = 100;

/**
 * The spiral of the first author's ALI code (mila-iqia/fuel, `toy.py`): t ~ U(0, cycles), r = (2t + 1) / 3, the point
 * r (sin(2 pi t + phi_k), cos(2 pi t + phi_k)) plus noise, phi_k = 2 pi k / arms. The paper does not print its equation.
 */
export class Spiral implements PointTarget {
  readonly metricNames = ['highQualityShare', 'coverage'];
  readonly headline = [
    { metric: 'highQualityShare', label: 'quality', digits: 2 },
    { metric: 'coverage', label: 'coverage', digits: 2 },
  ];
  readonly best = { metric: 'coverage', better: 'higher' } as const;
  /** Points of the curve, in order along each arm; fine enough that the chord between two is far below the noise. */
  private readonly curve: readonly (readonly [number, number])[];

  constructor(private readonly config: z.infer<typeof spiral>) {
    const perArm = 20 * SEGMENTS_PER_ARM;
    this.curve = Array.from({ length: config.arms * perArm }, (_, i) => {
      const t = (((i % perArm) + 0.5) / perArm) * config.cycles;
      return this.pointAt(t, Math.floor(i / perArm));
    });
  }

  draw(count: number, random: RandomStreams): tf.Tensor {
    return tf.tidy(() => {
      const t = tf.mul(random.uniform([count], 'spiral/position'), this.config.cycles);
      const phase = tf.mul(
        tf.cast(random.integers([count], this.config.arms, 'spiral/arm'), 'float32'),
        (2 * Math.PI) / this.config.arms,
      );
      const angle = tf.add(tf.mul(t, 2 * Math.PI), phase);
      const radius = tf.div(tf.add(tf.mul(t, 2), 1), 3);
      const points = tf.stack([tf.mul(radius, tf.sin(angle)), tf.mul(radius, tf.cos(angle))], 1);
      return tf.add(points, tf.mul(random.normal([count, 2], 'spiral/noise'), this.config.standardDeviation));
    });
  }

  /**
   * `highQualityShare`: share of points within 3 standard deviations of the curve. `coverage`: share of the curve's
   * segments (100 per arm, equally likely under the target) that are nearest to at least one of these points.
   */
  measure(points: Float32Array): Metrics {
    const count = points.length / 2;
    const segments = this.config.arms * SEGMENTS_PER_ARM;
    const hit = new Set<number>();
    let good = 0;
    for (let i = 0; i < count; i++) {
      const { index, distance } = this.nearest(points[2 * i]!, points[2 * i + 1]!);
      if (distance > 3 * this.config.standardDeviation) continue;
      good++;
      hit.add(Math.floor((index * segments) / this.curve.length));
    }
    return { highQualityShare: good / count, coverage: hit.size / segments };
  }

  private pointAt(t: number, arm: number): readonly [number, number] {
    const radius = (2 * t + 1) / 3;
    const angle = 2 * Math.PI * (t + arm / this.config.arms);
    return [radius * Math.sin(angle), radius * Math.cos(angle)];
  }

  private nearest(x: number, y: number): { index: number; distance: number } {
    let index = 0;
    let least = Infinity;
    this.curve.forEach(([cx, cy], i) => {
      const squared = (x - cx) ** 2 + (y - cy) ** 2;
      if (squared < least) {
        least = squared;
        index = i;
      }
    });
    return { index, distance: Math.sqrt(least) };
  }
}
