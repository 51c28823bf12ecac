import * as tf from '@tensorflow/tfjs';
import { gatherRows } from '../tensorflow/gather';
import { DATA_PREFIX } from '../tensorflow/program';
import type { RandomStreams } from '../tensorflow/random';

/** A data set as a variable of the program, `[examples, ...]`; batches are gathered inside the graph. */
export class Examples {
  private readonly rows: tf.Variable;
  readonly count: number;

  /** Takes `rows` over and disposes it. */
  constructor(name: string, rows: tf.Tensor) {
    this.rows = tf.variable(rows, false, `${DATA_PREFIX}${name}`);
    this.count = rows.shape[0]!;
    rows.dispose();
  }

  /** `[size, ...]`, drawn with replacement. */
  batch(size: number, random: RandomStreams, stream: string): tf.Tensor {
    return this.at(random.integers([size], this.count, stream));
  }

  /** The examples with these indices, an int32 `[size]`. */
  at(indices: tf.Tensor): tf.Tensor {
    return gatherRows(this.rows, indices);
  }
}
