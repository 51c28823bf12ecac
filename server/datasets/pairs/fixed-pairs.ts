import * as tf from '@tensorflow/tfjs';
import type { RandomStreams } from '../../tensorflow/random';
import { Examples } from '../examples';
import type { Pairs, PairSource } from './pair-source';
import { trainingRows } from './training-rows';

/** A fixed set of pairs, the last fifth of its rows held out. */
export class FixedPairs implements PairSource {
  readonly dimensionX: number;
  readonly dimensionZ: number;
  readonly finalBlocks = 1;
  readonly trainingCount: number;
  private readonly x: Examples;
  private readonly z: Examples;

  /** Takes `pairs` over. Rows must be in random order already. */
  constructor(
    pairs: Pairs,
    readonly truth: number | null,
  ) {
    this.dimensionX = pairs.x.shape[1]!;
    this.dimensionZ = pairs.z.shape[1]!;
    this.x = new Examples('x', pairs.x);
    this.z = new Examples('z', pairs.z);
    this.trainingCount = trainingRows(this.x.count);
  }

  batch(size: number, random: RandomStreams): ReturnType<PairSource['batch']> {
    const count = this.trainingCount;
    const rows = random.integers([size], count, 'joint');
    // 1 to count - 1 rows further on: another example's z, never its own.
    const distance = tf.add(random.integers([size], count - 1, 'marginal'), tf.scalar(1, 'int32'));
    const others = tf.mod(tf.add(rows, distance), tf.scalar(count, 'int32'));
    return { x: this.x.at(rows), z: this.z.at(rows), zMarginal: this.z.at(others) };
  }

  heldOut(): Pairs {
    const rows = tf.range(this.trainingCount, this.x.count, 1, 'int32');
    return { x: this.x.at(rows), z: this.z.at(rows) };
  }
}
