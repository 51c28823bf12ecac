import { setImmediate } from 'node:timers/promises';
import type { ProgramMode } from '../tensorflow/program';
import {
  CrossFittedProgram,
  type CrossFittedProgramOptions,
  type FoldedWeights,
  type RowPairs,
} from './cross-fitted-program';
import { crossFittingFolds } from './cross-fitting-folds';
import { gaussianLogRatio, type GaussianLogRatio } from './gaussian-log-ratio';
import { foldReadOut, type FoldReadOut, shiftedPairs } from './held-out-folds';
import { SeededRandom } from './seeded-random';
import type { Columns } from './standardisation';

export interface CrossFittingOptions extends CrossFittedProgramOptions {
  readonly folds: number;
  readonly maximumSteps: number;
  /** Steps between looks at the validation rows. */
  readonly stepsPerLook: number;
  /** Looks without improvement in any fold after which training stops. */
  readonly patience: number;
}

/** The settings for so many rows. */
export function crossFittingOptions(rows: number, seed: number, mode: ProgramMode): CrossFittingOptions {
  return {
    folds: 5,
    hidden: 128,
    batchSize: 256,
    learningRate: 2e-3,
    movingAverageRate: 0.1,
    // More rows resolve more of the log-ratio, which takes longer to learn. Uncompiled, a step takes a tenth of a second.
    maximumSteps: mode === 'eager' ? 2000 : rows >= 20_000 ? 10_000 : 6000,
    stepsPerLook: 100,
    patience: 12,
    seed,
    mode,
  };
}

/** Marginal pairs per fold that a look at the validation rows takes, and a read-out. */
const validationPairs = 20_000;
const heldOutPairs = 200_000;
/** A read-out whose partition rests on fewer pairs than this is repeated with more of them. */
const fewEffectivePairs = 1000;
const mostHeldOutPairs = 2_000_000;
/** The partition is never averaged over fewer shifts than this, if there are as many. */
const fewestShifts = 10;

/** Weight of the newest look in the smoothed validation curve: a single noisy look cannot win. */
const smoothing = 0.4;

export interface CrossFittedRun {
  /** One read-out per fold, of rows that its network never saw. */
  readonly folds: readonly FoldReadOut[];
  /** Folds whose network did no better on the validation rows than the Gaussian log-ratio it started from. */
  readonly untrained: number;
  readonly steps: number;
  /** False if training ended at its limit while some fold still improved. */
  readonly stoppedEarly: boolean;
}

/**
 * Trains a statistics network per fold and reads each on its held-out rows. A network's weights are those of the best
 * point of its smoothed curve on validation rows, which are neither trained on nor reported.
 *
 * @param x columns of mean 0 and variance 1; each side at least one.
 * @param onProgress told the steps done and the mean over the folds of the best validation values, after every look.
 */
export async function crossFittedRun(
  x: Columns,
  y: Columns,
  options: CrossFittingOptions,
  onProgress?: (steps: number, validation: number) => void,
): Promise<CrossFittedRun> {
  const rows = x.values.length / x.columns;
  const random = new SeededRandom(options.seed);
  const folds = crossFittingFolds(rows, options.folds, random);
  const bases = folds.map(({ training }) => baseOf(x, y, training));
  const program = new CrossFittedProgram(withSize(x, rows), withSize(y, rows), folds, bases, options);
  try {
    const validation = folds.map((fold) => fold.validation);
    const pairs = validation.map((own) => shiftedPairs(own, shiftsFor(own.length, validationPairs), random));
    const look = () => readOuts(program, validation, pairs);

    // A Gaussian log-ratio that is worse than none on the validation rows is left out.
    const withBase = look();
    program.weighBases(withBase.map(({ estimate }) => (estimate > 0 ? 1 : 0)));
    const best = new BestWeights(program.weights(), look());
    let [steps, idle, risen] = [0, 0, best.mean];
    while (steps < options.maximumSteps && idle < options.patience) {
      program.train(options.stepsPerLook);
      steps += options.stepsPerLook;
      best.offer(look(), () => program.weights());
      if (best.mean > risen + 0.001 + 0.002 * risen) [idle, risen] = [0, best.mean];
      else idle++;
      onProgress?.(steps, best.mean);
      // Lets messages out and a disconnection in.
      await setImmediate();
    }
    program.restore(best.chosen);
    return {
      folds: heldOutReadOuts(
        program,
        folds.map(({ heldOut }) => heldOut),
        random,
      ),
      untrained: best.chosen.filter((weights) => weights === best.start).length,
      steps,
      stoppedEarly: idle >= options.patience,
    };
  } finally {
    program.dispose();
  }
}

/**
 * For each fold the weights at the best point of its smoothed validation curve.
 *
 * The start is left only once the folds together are better there by more than two standard errors of the difference, so
 * that few validation rows do not choose what fits them by chance; on independent data the start, T = 0, stays.
 */
class BestWeights {
  readonly chosen: FoldedWeights[];
  private readonly best: number[];
  private smooth: readonly number[] | undefined;
  private startLeft = false;

  constructor(
    readonly start: FoldedWeights,
    private readonly startReadOuts: readonly FoldReadOut[],
  ) {
    this.chosen = startReadOuts.map(() => start);
    this.best = startReadOuts.map(({ estimate }) => estimate);
  }

  /** Mean over the folds of the best values so far. */
  get mean(): number {
    return meanOf(this.best);
  }

  offer(readOuts: readonly FoldReadOut[], weights: () => FoldedWeights): void {
    const { smooth, startReadOuts } = this;
    const smoothed = readOuts.map(({ estimate }, fold) =>
      smooth ? (1 - smoothing) * smooth[fold]! + smoothing * estimate : estimate,
    );
    this.smooth = smoothed;
    const gain = meanOf(smoothed.map((value, fold) => value - startReadOuts[fold]!.estimate));
    const variances = readOuts.map((readOut, fold) => differenceVariance(startReadOuts[fold]!, readOut));
    this.startLeft ||= gain > 2 * Math.sqrt(meanOf(variances) / variances.length);
    if (!this.startLeft) return;
    let now: FoldedWeights | undefined;
    smoothed.forEach((value, fold) => {
      if (!(value > this.best[fold]!)) return;
      now ??= weights();
      this.chosen[fold] = now;
      this.best[fold] = value;
    });
  }
}

/** Squared standard error of the difference of two read-outs of the same rows. */
function differenceVariance(a: FoldReadOut, b: FoldReadOut): number {
  const count = a.influence.length;
  const squares = a.influence.reduce((sum, value, i) => sum + (value - b.influence[i]!) ** 2, 0);
  return squares / (count - 1) / count;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value / values.length, 0);
}

function shiftsFor(rows: number, pairs: number): number {
  return Math.max(fewestShifts, Math.ceil(pairs / rows));
}

/** Where few pairs carry the partition, as for large mutual information, more pairs are looked for. */
function heldOutReadOuts(
  program: CrossFittedProgram,
  heldOut: readonly Int32Array[],
  random: SeededRandom,
): FoldReadOut[] {
  const withPairs = (count: number) =>
    readOuts(
      program,
      heldOut,
      heldOut.map((own) => shiftedPairs(own, shiftsFor(own.length, count), random)),
    );
  const first = withPairs(heldOutPairs);
  const few = first.some(({ effectivePairs }) => effectivePairs < fewEffectivePairs);
  const possible = heldOut[0]!.length * (heldOut[0]!.length - 1);
  return few && possible > first[0]!.marginalPairs ? withPairs(mostHeldOutPairs) : first;
}

function readOuts(
  program: CrossFittedProgram,
  rows: readonly Int32Array[],
  marginalPairs: readonly RowPairs[],
): FoldReadOut[] {
  const joint = program.scores(rows.map((own) => ({ x: own, y: own })));
  const marginal = program.scores(marginalPairs);
  return rows.map((own, fold) => foldReadOut(own, joint[fold]!, marginalPairs[fold]!, marginal[fold]!));
}

const noBase: GaussianLogRatio = {
  pairs: 0,
  directionsX: new Float64Array(),
  directionsY: new Float64Array(),
  square: new Float64Array(),
  product: new Float64Array(),
};

function baseOf(x: Columns, y: Columns, training: Int32Array): GaussianLogRatio {
  const rowsOf = ({ values, columns }: Columns) => {
    const taken = new Float64Array(training.length * columns);
    training.forEach((row, i) => {
      taken.set(values.subarray(row * columns, (row + 1) * columns), i * columns);
    });
    return taken;
  };
  try {
    return gaussianLogRatio(rowsOf(x), rowsOf(y), training.length);
  } catch (error) {
    if (error instanceof RangeError) return noBase;
    throw error;
  }
}

/** The columns and ln(0.001 + |row|^2), which makes dependence of the lengths, as of heavy tails, easy to learn. */
function withSize({ values, columns, kept }: Columns, rows: number): Columns {
  const widened = new Float64Array(rows * (columns + 1));
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * columns, (row + 1) * columns);
    widened.set(own, row * (columns + 1));
    widened[row * (columns + 1) + columns] = Math.log(own.reduce((sum, value) => sum + value * value, 1e-3));
  }
  return { values: widened, columns: columns + 1, kept };
}
