import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { gaussianGrid } from '../../config/gan';
import { MODE_METRIC_NAMES, modeCoverage } from '../../metrics/mode-coverage';
import { gatherRows } from '../../tensorflow/gather';
import type { RandomStreams } from '../../tensorflow/random';
import type { PointTarget } from './point-target';

/** Equally likely Gaussians on a square grid around the origin; the paper's 25 Gaussians with side 5 and spacing 2. */
export class GaussianGrid implements PointTarget {
  readonly metricNames = MODE_METRIC_NAMES;
  readonly headline = [
    { metric: 'modesCaptured', label: 'modes', digits: 0 },
    { metric: 'highQualityShare', label: 'quality', digits: 2 },
    { metric: 'reverseKl', label: 'KL', digits: 3 },
  ];
  readonly best = { metric: 'reverseKl', better: 'lower' } as const;
  /** `[modes, 2]` */
  readonly means: readonly (readonly [number, number])[];

  constructor(private readonly config: z.infer<typeof gaussianGrid>) {
    const { side, spacing } = config;
    const coordinate = (i: number): number => (i - (side - 1) / 2) * spacing;
    this.means = Array.from({ length: side * side }, (_, mode) => [
      coordinate(Math.floor(mode / side)),
      coordinate(mode % side),
    ]);
  }

  draw(count: number, random: RandomStreams): tf.Tensor {
    return tf.tidy(() => {
      const mode = random.integers([count], this.means.length, 'grid/mode');
      const means = gatherRows(tf.tensor2d(this.means.map((mean) => [...mean])), mode);
      return tf.add(means, tf.mul(random.normal([count, 2], 'grid/noise'), this.config.standardDeviation));
    });
  }

  measure(points: Float32Array): Record<string, number> {
    return { ...modeCoverage(points, this.means, this.config.standardDeviation) };
  }
}
