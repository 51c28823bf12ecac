import * as tf from '@tensorflow/tfjs';
import type { Pass } from './dense-network';

const MOMENTUM = 0.9;
const EPSILON = 1e-5;

/** Batch normalisation over the first axis (Ioffe & Szegedy, 2015), momentum 0.9 and epsilon 1e-5 as in PacGAN's code. */
export class BatchNormalization {
  readonly variables: readonly tf.Variable[];
  private readonly scale: tf.Variable;
  private readonly offset: tf.Variable;
  private readonly running: { readonly mean: tf.Variable; readonly variance: tf.Variable } | undefined;

  /** Without `runningAverages` there is no `evaluate`. */
  constructor(name: string, width: number, runningAverages = true) {
    this.scale = tf.variable(tf.ones([width]), true, `${name}/scale`);
    this.offset = tf.variable(tf.zeros([width]), true, `${name}/offset`);
    this.running = runningAverages
      ? {
          mean: tf.variable(tf.zeros([width]), false, `${name}/running-mean`),
          variance: tf.variable(tf.ones([width]), false, `${name}/running-variance`),
        }
      : undefined;
    this.variables = [this.scale, this.offset];
  }

  /**
   * `[batch, width]` to the same shape. `train` normalises with the batch's statistics and moves the running averages
   * towards them; `train-without-averages` leaves these alone; `evaluate` normalises with them.
   * @throws if there are none to evaluate with.
   */
  apply(x: tf.Tensor, pass: Pass): tf.Tensor {
    const { running } = this;
    if (pass === 'evaluate') {
      if (running === undefined) throw new Error('this batch normalisation has no running averages to evaluate with');
      return this.normalize(tf.sub(x, running.mean), running.variance);
    }
    const mean = tf.mean(x, 0);
    const centred = tf.sub(x, mean);
    const variance = tf.mean(tf.square(centred), 0);
    if (pass === 'train' && running !== undefined) {
      running.mean.assign(tf.add(tf.mul(running.mean, MOMENTUM), tf.mul(mean, 1 - MOMENTUM)));
      running.variance.assign(tf.add(tf.mul(running.variance, MOMENTUM), tf.mul(variance, 1 - MOMENTUM)));
    }
    return this.normalize(centred, variance);
  }

  private normalize(centred: tf.Tensor, variance: tf.Tensor): tf.Tensor {
    return tf.add(tf.mul(centred, tf.mul(tf.rsqrt(tf.add(variance, EPSILON)), this.scale)), this.offset);
  }
}
