import * as tf from '@tensorflow/tfjs';
import type { DenseNetwork } from './dense-network';

/**
 * A network whose weights follow another's as a moving average (Polyak & Juditsky, 1992), for drawing samples. With decay 0
 * it is the other network itself.
 */
export class AveragedNetwork {
  private readonly average: DenseNetwork | undefined;

  constructor(
    private readonly source: DenseNetwork,
    private readonly decay: number,
  ) {
    this.average = decay === 0 ? undefined : source.copy('average');
  }

  /** Moves the average towards the source; called once per step, `step` counted from 0. Early averages forget faster, so that the start is not remembered. */
  follow(step: tf.Scalar): void {
    if (this.average === undefined) return;
    const decay = tf.minimum(this.decay, tf.div(tf.add(step, 1), tf.add(step, 10)));
    this.average.variables.forEach((variable, i) => {
      variable.assign(tf.add(tf.mul(variable, decay), tf.mul(this.source.variables[i]!, tf.sub(1, decay))));
    });
  }

  /**
   * `[batch, inputs]` to `[batch, outputs]`. Averaged weights have no running statistics of their own, so that batch
   * normalisation uses those of this batch: give it a large one.
   */
  apply(x: tf.Tensor): tf.Tensor {
    return this.average === undefined
      ? this.source.apply(x, 'evaluate')
      : this.average.apply(x, 'train-without-averages');
  }
}
