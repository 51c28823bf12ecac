import * as tf from '@tensorflow/tfjs';
import { gatherRows } from '../tensorflow/gather';
import { gradientsOf } from '../tensorflow/gradients';
import { createOptimizer } from '../tensorflow/optimizers';
import { compileProgram, DATA_PREFIX, type EntryBody, type Program, type ProgramMode } from '../tensorflow/program';
import { RandomStreams } from '../tensorflow/random';
import type { Fold } from './cross-fitting-folds';
import { BASE_WEIGHT, FoldedNetworks } from './folded-networks';
import type { GaussianLogRatio } from './gaussian-log-ratio';
import type { Columns } from './standardisation';

export interface CrossFittedProgramOptions {
  /** Width of the two hidden layers. */
  readonly hidden: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Weight of the new batch in the moving average of E[exp T] (paper, section 3.2). */
  readonly movingAverageRate: number;
  readonly seed: number;
  readonly mode: ProgramMode;
}

/** Rows of X and of Y that are scored together, `[pairs]` each. */
export interface RowPairs {
  readonly x: Int32Array;
  readonly y: Int32Array;
}

/** Everything that changes in the networks of all folds, at one moment. */
export type FoldedWeights = ReturnType<Program<string>['pull']>;

/** Pairs that one call of the scoring entry takes; longer lists are cut. */
const scoredAtOnce = 2048;
/** Stands for a moving average that no batch has entered yet; finite, so that arithmetic on it is. */
const notStarted = -1e37;

/** The data and the statistics networks of all folds in one compiled program. */
export class CrossFittedProgram {
  private readonly program: Program<'train' | 'score'>;
  private readonly folds: number;

  constructor(
    x: Columns,
    y: Columns,
    folds: readonly Fold[],
    bases: readonly GaussianLogRatio[],
    options: CrossFittedProgramOptions,
  ) {
    this.folds = folds.length;
    const data = {
      x: dataVariable('x', x.values, [x.values.length / x.columns, x.columns]),
      y: dataVariable('y', y.values, [y.values.length / y.columns, y.columns]),
      // As float32, exact up to 2^24 rows: TensorFlow keeps int32 variables in host memory.
      training: dataVariable(
        'training',
        folds.flatMap(({ training }) => [...training]),
        [folds.length, folds[0]!.training.length],
      ),
    };
    const networks = new FoldedNetworks(
      { columnsX: x.columns, columnsY: y.columns, hidden: options.hidden, seed: options.seed },
      bases,
    );
    const shape = [this.folds, scoredAtOnce];
    this.program = compileProgram(
      {
        train: trainingStep(networks, data, options),
        score: {
          inputs: { x: { shape, dtype: 'int32' }, y: { shape, dtype: 'int32' } },
          body: (rows) => ({
            scores: networks.score(gatherRows(data.x, rows['x']!), gatherRows(data.y, rows['y']!)),
          }),
        },
      },
      { mode: options.mode },
    );
  }

  /** Trains all networks for `steps` steps. */
  train(steps: number): void {
    this.program.repeat('train', steps);
  }

  /**
   * T of each fold's network on pairs of rows.
   *
   * @param pairs one list per fold, all equally long.
   * @returns per fold, as many scores.
   */
  scores(pairs: readonly RowPairs[]): Float32Array[] {
    const count = pairs[0]!.x.length;
    const scores = pairs.map(() => new Float32Array(count));
    const fed = { x: new Int32Array(this.folds * scoredAtOnce), y: new Int32Array(this.folds * scoredAtOnce) };
    for (let start = 0; start < count; start += scoredAtOnce) {
      const end = Math.min(start + scoredAtOnce, count);
      // A shorter last piece leaves earlier rows behind it; they are scored and ignored.
      pairs.forEach(({ x, y }, fold) => {
        fed.x.set(x.subarray(start, end), fold * scoredAtOnce);
        fed.y.set(y.subarray(start, end), fold * scoredAtOnce);
      });
      const { values } = this.program.run('score', fed)['scores']!;
      scores.forEach((own, fold) => {
        own.set(values.subarray(fold * scoredAtOnce, fold * scoredAtOnce + end - start), start);
      });
    }
    return scores;
  }

  weights(): FoldedWeights {
    return this.program.pull();
  }

  /** Puts weights back, for each fold those chosen for it. */
  restore(chosen: readonly FoldedWeights[]): void {
    const current = this.program.pull();
    for (const [name, { shape, values }] of current) {
      // Scalars (the step, the powers of Adam's decay rates) are common to all folds.
      if (shape.length === 0) continue;
      const size = values.length / this.folds;
      chosen.forEach((weights, fold) => {
        values.set(weights.get(name)!.values.subarray(fold * size, (fold + 1) * size), fold * size);
      });
    }
    this.program.push(current);
  }

  /** Sets how much of the Gaussian log-ratio each fold's T contains. */
  weighBases(weight: readonly number[]): void {
    const current = this.program.pull();
    current.get(BASE_WEIGHT)?.values.set(weight);
    this.program.push(current);
  }

  dispose(): void {
    this.program.dispose();
  }
}

interface DataVariables {
  readonly x: tf.Variable;
  readonly y: tf.Variable;
  readonly training: tf.Variable;
}

function dataVariable(name: string, values: Iterable<number>, shape: number[]): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor(Float32Array.from(values), shape), false, `${DATA_PREFIX}${name}`));
}

/**
 * One step of Algorithm 1 for every fold: the Donsker-Varadhan bound with the moving average in the gradient's
 * denominator. A marginal pair takes y from another training row, never from its own.
 */
function trainingStep(
  networks: FoldedNetworks,
  data: DataVariables,
  { batchSize, learningRate, movingAverageRate, seed }: CrossFittedProgramOptions,
): EntryBody {
  const [folds, count] = data.training.shape as [number, number];
  const step = tf.variable(tf.scalar(0), false, 'step');
  const logAverage = tf.variable(tf.fill([folds], notStarted), false, 'log-moving-average');
  const random = new RandomStreams(seed, step);
  const optimizer = createOptimizer(
    { kind: 'adam', learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    networks.variables,
    'optimizer',
  );
  const rowsAt = (positions: tf.Tensor): tf.Tensor => {
    const offsets = tf.mul(tf.range(0, folds, 1, 'int32'), tf.scalar(count, 'int32'));
    const flat = tf.add(positions, tf.reshape(offsets, [folds, 1]));
    return tf.cast(gatherRows(tf.reshape(data.training, [folds * count]), flat), 'int32');
  };
  return () => {
    const positions = random.integers([folds, batchSize], count, 'pairs');
    const shift = tf.add(random.integers([folds, batchSize], count - 1, 'shifts'), tf.scalar(1, 'int32'));
    const rows = rowsAt(positions);
    const shifted = rowsAt(tf.mod(tf.add(positions, shift), tf.scalar(count, 'int32')));
    const [x, y] = [gatherRows(data.x, rows), gatherRows(data.y, rows)];
    const yMarginal = gatherRows(data.y, shifted);
    let moved: tf.Tensor | undefined;
    const { value, gradients } = gradientsOf(() => {
      const { joint, marginal } = networks.scores(x, y, yMarginal);
      const average = movedAverage(marginal, logAverage, movingAverageRate);
      moved = tf.keep(average);
      // Its gradient is that of -DV with the moving average in the denominator.
      const corrected = tf.exp(tf.sub(marginal, tf.reshape(average, [folds, 1])));
      return tf.mul(tf.sub(tf.mean(corrected), tf.mean(joint)), folds);
    }, networks.variables);
    optimizer.apply(gradients);
    networks.average(step);
    logAverage.assign(tf.clone(moved!));
    moved!.dispose();
    step.assign(tf.add(step, 1));
    return { loss: value };
  };
}

/** log((1 - rate) m + rate * batch mean of e^T) per fold, `[folds]`, without a gradient; the first batch starts it. */
function movedAverage(marginal: tf.Tensor, logAverage: tf.Variable, rate: number): tf.Tensor {
  return tf.customGrad((t) => {
    const fresh = tf.sub(tf.logSumExp(t as tf.Tensor, 1), Math.log((t as tf.Tensor).shape[1]!));
    const kept = tf.add(logAverage, Math.log1p(-rate));
    const added = tf.add(fresh, Math.log(rate));
    const largest = tf.maximum(kept, added);
    const moved = tf.add(largest, tf.log(tf.add(tf.exp(tf.sub(kept, largest)), tf.exp(tf.sub(added, largest)))));
    const value = tf.where(tf.less(logAverage, notStarted / 10), fresh, moved);
    return { value, gradFunc: () => tf.zerosLike(t as tf.Tensor) };
  })(marginal);
}
