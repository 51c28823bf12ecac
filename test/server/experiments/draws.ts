import * as tf from '@tensorflow/tfjs';
import { RandomStreams } from '../../../server/tensorflow/random';
import type { Matrix } from './float64-networks';

/** The random numbers of one step. */
export class Draws {
  private readonly streams: RandomStreams;

  constructor(seed: number, step: number, draw?: number) {
    const streams = new RandomStreams(seed, tf.scalar(step));
    this.streams = draw === undefined ? streams : streams.fold(tf.scalar(draw, 'int32'));
  }

  normal(rows: number, columns: number, stream: string): Matrix {
    return tf.tidy(() => this.streams.normal([rows, columns], stream).arraySync() as number[][]);
  }

  uniform(rows: number, columns: number, stream: string): Matrix {
    return tf.tidy(() => this.streams.uniform([rows, columns], stream).arraySync() as number[][]);
  }

  integers(count: number, limit: number, stream: string): number[] {
    return tf.tidy(() => this.streams.integers([count], limit, stream).arraySync() as number[]);
  }
}
