import * as tf from '@tensorflow/tfjs';
import { DATA_PREFIX } from '../tensorflow/program';
import { RandomStreams } from '../tensorflow/random';
import type { GaussianLogRatio } from './gaussian-log-ratio';

export interface FoldedNetworksOptions {
  /** Columns of X and of Y as the networks see them. */
  readonly columnsX: number;
  readonly columnsY: number;
  /** Width of the two hidden layers. */
  readonly hidden: number;
  readonly seed: number;
}

/** Weights of one set of networks; each `[folds, ...]`. */
interface FoldedLayers {
  readonly kernelX: tf.Variable;
  readonly kernelY: tf.Variable;
  readonly bias: tf.Variable;
  readonly middle: tf.Variable;
  readonly middleBias: tf.Variable;
  readonly last: tf.Variable;
}

const layerNames = ['kernelX', 'kernelY', 'bias', 'middle', 'middleBias', 'last'] as const;

/** Weight of the average against the newest weights, once it has run in: a window of about 100 steps. */
const averageDecay = 0.99;

/**
 * One statistics network per fold, weights stacked as `[folds, inputs, outputs]`, so that one batched matrix product
 * serves all of them and no fold's gradient reaches another's weights. Two hidden layers with SiLU.
 *
 * T(x, y) = network([x, y]) + weight * Gaussian log-ratio of the fold's training rows. The network's last layer starts at
 * 0, so that T starts as that ratio: near the truth for near-Gaussian data, and only the rest is learned.
 *
 * Scores are read from a moving average of the weights (Polyak and Juditsky, 1992), which takes the noise of single steps
 * out of them.
 */
export class FoldedNetworks {
  /** What training changes. */
  readonly variables: readonly tf.Variable[];
  private readonly layers: FoldedLayers;
  private readonly averages: FoldedLayers;
  private readonly base: FoldedBase | undefined;

  /** @param bases one per fold; each over the first columns of X and of Y. */
  constructor({ columnsX, columnsY, hidden, seed }: FoldedNetworksOptions, bases: readonly GaussianLogRatio[]) {
    const folds = bases.length;
    const random = new RandomStreams(seed, tf.scalar(0));
    const uniform = (shape: number[], inputs: number, name: string): tf.Variable =>
      tf.tidy(() => {
        const limit = 1 / Math.sqrt(inputs);
        return tf.variable(tf.mul(tf.sub(tf.mul(random.uniform(shape, name), 2), 1), limit), true, name);
      });
    const zero = (shape: number[], name: string): tf.Variable => tf.variable(tf.zeros(shape), true, name);
    this.layers = {
      kernelX: uniform([folds, columnsX, hidden], columnsX + columnsY, 'statistics/kernel-x'),
      kernelY: uniform([folds, columnsY, hidden], columnsX + columnsY, 'statistics/kernel-y'),
      bias: zero([folds, 1, hidden], 'statistics/bias'),
      middle: uniform([folds, hidden, hidden], hidden, 'statistics/middle-kernel'),
      middleBias: zero([folds, 1, hidden], 'statistics/middle-bias'),
      last: zero([folds, hidden, 1], 'statistics/last-kernel'),
    };
    const averageOf = (own: tf.Variable) => tf.variable(own, false, `average/${own.name}`);
    this.averages = {
      kernelX: averageOf(this.layers.kernelX),
      kernelY: averageOf(this.layers.kernelY),
      bias: averageOf(this.layers.bias),
      middle: averageOf(this.layers.middle),
      middleBias: averageOf(this.layers.middleBias),
      last: averageOf(this.layers.last),
    };
    this.variables = layerNames.map((name) => this.layers[name]);
    this.base = bases.some(({ pairs }) => pairs > 0) ? new FoldedBase(bases, columnsX, columnsY) : undefined;
  }

  /** T of the averaged weights for pairs `[folds, n, columnsX]` and `[folds, n, columnsY]`: `[folds, n]`. */
  score(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const first = tf.add(matMul(x, this.averages.kernelX), matMul(y, this.averages.kernelY));
      return this.outputs(this.averages, x, y, first);
    });
  }

  /**
   * T of the weights in training on joint pairs (x, y) and on marginal pairs (x, yMarginal); x enters its layer once. Each
   * `[folds, n]`.
   */
  scores(x: tf.Tensor, y: tf.Tensor, yMarginal: tf.Tensor): { joint: tf.Tensor; marginal: tf.Tensor } {
    const [folds, n] = x.shape as [number, number];
    const fromX = matMul(x, this.layers.kernelX);
    const both = tf.concat([y, yMarginal], 1);
    const first = tf.add(tf.concat([fromX, fromX], 1), matMul(both, this.layers.kernelY));
    const t = this.outputs(this.layers, tf.concat([x, x], 1), both, first);
    return { joint: tf.slice(t, [0, 0], [folds, n]), marginal: tf.slice(t, [0, n], [folds, n]) };
  }

  /** Moves the averages towards the weights; once per step, `step` counted from 0. Early averages forget faster. */
  average(step: tf.Tensor): void {
    const decay = tf.minimum(averageDecay, tf.div(tf.add(step, 1), tf.add(step, 10)));
    for (const name of layerNames) {
      const [average, own] = [this.averages[name], this.layers[name]];
      average.assign(tf.add(tf.mul(average, decay), tf.mul(own, tf.sub(1, decay))));
    }
  }

  private outputs(layers: FoldedLayers, x: tf.Tensor, y: tf.Tensor, first: tf.Tensor): tf.Tensor {
    const hidden = silu(tf.add(first, layers.bias));
    const second = silu(tf.add(matMul(hidden, layers.middle), layers.middleBias));
    // No bias: the bound does not change with a constant.
    const learned = tf.reshape(matMul(second, layers.last), first.shape.slice(0, 2));
    if (this.base === undefined) return learned;
    return tf.add(learned, this.base.score(x, y));
  }
}

/** `[folds]`: how much of the Gaussian log-ratio each T contains. Absent where no fold has one. */
export const BASE_WEIGHT = 'base/weight';

/** The Gaussian log-ratios of all folds, padded to the largest number of canonical pairs. */
class FoldedBase {
  private readonly directionsX: tf.Variable;
  private readonly directionsY: tf.Variable;
  private readonly square: tf.Variable;
  private readonly product: tf.Variable;
  private readonly weight: tf.Variable;

  constructor(bases: readonly GaussianLogRatio[], columnsX: number, columnsY: number) {
    const pairs = Math.max(...bases.map((base) => base.pairs));
    const padded = (own: (base: GaussianLogRatio) => Float64Array, rows: number, name: string): tf.Variable => {
      const values = new Float32Array(bases.length * rows * pairs);
      bases.forEach((base, fold) => {
        own(base).forEach((value, i) => {
          values[(fold * rows + Math.floor(i / base.pairs)) * pairs + (i % base.pairs)] = value;
        });
      });
      return tf.variable(tf.tensor(values, [bases.length, rows, pairs]), false, `${DATA_PREFIX}base/${name}`);
    };
    this.directionsX = padded((base) => base.directionsX, columnsX, 'directions-x');
    this.directionsY = padded((base) => base.directionsY, columnsY, 'directions-y');
    this.square = padded((base) => base.square, 1, 'square');
    this.product = padded((base) => base.product, 1, 'product');
    this.weight = tf.variable(tf.ones([bases.length]), false, BASE_WEIGHT);
  }

  /** `[folds, n]` */
  score(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
    const u = matMul(x, this.directionsX);
    const v = matMul(y, this.directionsY);
    const squares = tf.mul(this.square, tf.add(tf.square(u), tf.square(v)));
    const ratio = tf.sum(tf.add(squares, tf.mul(this.product, tf.mul(u, v))), 2);
    return tf.mul(ratio, tf.reshape(this.weight, [-1, 1]));
  }
}

/** x * sigmoid(x): smooth, so that a log-ratio, which is smooth, needs fewer units than with ReLU. */
function silu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.sigmoid(x));
}

function matMul(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.matMul(a, b);
}
