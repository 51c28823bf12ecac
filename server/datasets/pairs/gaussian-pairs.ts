import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { gaussianPairs } from '../../config/mutual-information';
import type { RandomStreams } from '../../tensorflow/random';
import type { PairDistribution, Pairs } from './pair-source';

/** Standard normal vectors whose i-th coordinates have correlation rho, all others independent (paper, section 5.1, Fig. 1). */
export class GaussianPairs implements PairDistribution {
  readonly dimensionX: number;
  readonly dimensionZ: number;
  readonly truth: number;

  constructor(private readonly config: z.infer<typeof gaussianPairs>) {
    this.dimensionX = this.dimensionZ = config.dimension;
    this.truth = gaussianMutualInformation(config.dimension, config.correlation);
  }

  draw(count: number, random: RandomStreams, stream: string): Pairs {
    const { dimension, correlation } = this.config;
    const x = random.normal([count, dimension], `${stream}/x`);
    const independent = random.normal([count, dimension], `${stream}/z`);
    return { x, z: tf.add(tf.mul(x, correlation), tf.mul(independent, Math.sqrt(1 - correlation ** 2))) };
  }

  drawMarginal(count: number, random: RandomStreams, stream: string): tf.Tensor {
    return random.normal([count, this.dimensionZ], `${stream}/z`);
  }
}

/** -(d/2) ln(1 - rho^2), in nats. */
export function gaussianMutualInformation(dimension: number, correlation: number): number {
  return (-dimension / 2) * Math.log1p(-(correlation ** 2));
}
