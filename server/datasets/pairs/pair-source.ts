import type * as tf from '@tensorflow/tfjs';
import type { RandomStreams } from '../../tensorflow/random';

export interface Pairs {
  /** `[count, dx]` */
  readonly x: tf.Tensor;
  /** `[count, dz]`, row by row with x. */
  readonly z: tf.Tensor;
}

/** A joint distribution that pairs can be drawn from, inside a recorded entry. */
export interface PairDistribution {
  readonly dimensionX: number;
  readonly dimensionZ: number;
  /** The mutual information in nats where it is known, else null. */
  readonly truth: number | null;
  draw(count: number, random: RandomStreams, stream: string): Pairs;
  /** `[count, dz]` from the marginal of z alone. */
  drawMarginal(count: number, random: RandomStreams, stream: string): tf.Tensor;
}

/** Where a mutual information experiment takes its pairs from: training and held-out pairs never share an example. */
export interface PairSource {
  readonly dimensionX: number;
  readonly dimensionZ: number;
  readonly truth: number | null;
  /** A training batch, and z of pairs of the product of the marginals: no example's z is paired with its own x. */
  batch(size: number, random: RandomStreams): Pairs & { readonly zMarginal: tf.Tensor };
  /** One block of held-out pairs. */
  heldOut(random: RandomStreams): Pairs;
  /** How many different blocks there are to read out at the end; 1 where they are always the same rows. */
  readonly finalBlocks: number;
}
