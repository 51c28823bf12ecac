import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { nonlinearPairs } from '../../config/mutual-information';
import type { RandomStreams } from '../../tensorflow/random';
import { additiveNoiseMutualInformation } from './additive-noise-information';
import type { PairDistribution, Pairs } from './pair-source';

type NonlinearConfig = z.infer<typeof nonlinearPairs>;

const FUNCTIONS: Readonly<
  Record<
    NonlinearConfig['function'],
    { readonly tensor: (x: tf.Tensor) => tf.Tensor; readonly number: (x: number) => number }
  >
> = {
  identity: { tensor: (x) => x, number: (x) => x },
  cube: { tensor: (x) => tf.mul(tf.square(x), x), number: (x) => x ** 3 },
  sine: { tensor: (x) => tf.sin(x), number: Math.sin },
};

/** Y = f(X) + noise, X uniform on [-1, 1]^d, f applied to each coordinate (paper, Fig. 2). */
export class NonlinearPairs implements PairDistribution {
  readonly dimensionX: number;
  readonly dimensionZ: number;
  readonly truth: number;

  constructor(private readonly config: NonlinearConfig) {
    this.dimensionX = this.dimensionZ = config.dimension;
    this.truth = config.dimension * additiveNoiseMutualInformation(FUNCTIONS[config.function].number, config.noise);
  }

  draw(count: number, random: RandomStreams, stream: string): Pairs {
    const { dimension, noise } = this.config;
    const x = tf.sub(tf.mul(random.uniform([count, dimension], `${stream}/x`), 2), 1);
    const y = FUNCTIONS[this.config.function].tensor(x);
    return { x, z: tf.add(y, tf.mul(random.normal([count, dimension], `${stream}/noise`), noise)) };
  }

  drawMarginal(count: number, random: RandomStreams, stream: string): tf.Tensor {
    return this.draw(count, random, stream).z;
  }
}
