import { logMeanExpOf } from './bounds/log-mean-exp';
import type { SeededRandom } from './seeded-random';

/** Pairs of rows whose x and y do not belong together. */
export interface MarginalPairs {
  readonly x: Int32Array;
  readonly y: Int32Array;
}

/**
 * Pairs every row with `shifts` others of its list: the list against itself, shifted by different random distances, never
 * by 0, so that no row meets its own partner.
 */
export function shiftedPairs(rows: Int32Array, shifts: number, random: SeededRandom): MarginalPairs {
  const count = rows.length;
  const chosen = random.permutation(count - 1).subarray(0, shifts);
  const [x, y] = [new Int32Array(chosen.length * count), new Int32Array(chosen.length * count)];
  chosen.forEach((distance, k) => {
    for (let i = 0; i < count; i++) {
      x[k * count + i] = rows[i]!;
      y[k * count + i] = rows[(i + distance + 1) % count]!;
    }
  });
  return { x, y };
}

export interface FoldReadOut {
  /** The Donsker-Varadhan bound on the fold's held-out pairs, one partition for all, in nats. */
  readonly estimate: number;
  /** Per row: its number, and by how much the estimate would move if the row had more weight; mean 0. */
  readonly rows: Int32Array;
  readonly influence: Float64Array;
  /** 1 / sum of squared weights e^T / sum e^T over the marginal pairs: few means that few pairs make the value. */
  readonly effectivePairs: number;
  readonly marginalPairs: number;
}

/**
 * Reads the bound out: mean T over joint pairs - ln mean e^T over marginal pairs. The influence of a row is that of the
 * Hoeffding projection: the row counts once in the joint term, and as x and as y in the partition.
 *
 * @param joint T(x_row, y_row), in the order of `rows`. @param marginal T of `pairs`.
 */
export function foldReadOut(
  rows: Int32Array,
  joint: Float32Array,
  pairs: MarginalPairs,
  marginal: Float32Array,
): FoldReadOut {
  const count = rows.length;
  const logPartition = logMeanExpOf(marginal);
  const meanJoint = joint.reduce((sum, value) => sum + value / count, 0);
  const positionOfRow = new Int32Array(rows.reduce((last, row) => Math.max(last, row), 0) + 1);
  rows.forEach((row, position) => {
    positionOfRow[row] = position;
  });
  const perPair = count / marginal.length;
  const influence = Float64Array.from(joint, (value) => value - meanJoint + 2);
  let squares = 0;
  marginal.forEach((value, i) => {
    const weight = Math.exp(value - logPartition);
    squares += weight * weight;
    influence[positionOfRow[pairs.x[i]!]!]! -= weight * perPair;
    influence[positionOfRow[pairs.y[i]!]!]! -= weight * perPair;
  });
  return {
    estimate: meanJoint - logPartition,
    rows,
    influence,
    effectivePairs: marginal.length ** 2 / squares,
    marginalPairs: marginal.length,
  };
}

export interface CombinedReadOut {
  /** Mean over the folds, in nats. */
  readonly estimate: number;
  readonly standardError: number;
  /** 95 %. Covers sampling and training noise, not the gap between the bound and the truth. */
  readonly interval: readonly [number, number];
}

/**
 * The mean over folds, with the larger of two standard errors: of the rows' influences, in blocks of neighbouring rows,
 * since rows that follow each other may depend on each other; and of the folds' spread, which includes what differs
 * between trained networks.
 *
 * @param totalRows rows of the data, in whose order neighbours are meant.
 */
export function combinedReadOut(folds: readonly FoldReadOut[], totalRows: number): CombinedReadOut {
  const estimate = folds.reduce((sum, fold) => sum + fold.estimate / folds.length, 0);
  const spread = folds.reduce((sum, fold) => sum + (fold.estimate - estimate) ** 2, 0) / (folds.length - 1);
  const influence = new Float64Array(totalRows);
  for (const fold of folds) {
    fold.rows.forEach((row, i) => {
      influence[row] = fold.influence[i]!;
    });
  }
  const standardError = Math.max(blockStandardError(influence), Math.sqrt(spread / folds.length));
  return { estimate, standardError, interval: [estimate - 1.96 * standardError, estimate + 1.96 * standardError] };
}

/** Standard error of the mean of a series, by overlapping blocks of about N^(1/3) neighbours (Kuensch, 1989). */
export function blockStandardError(series: Float64Array): number {
  const count = series.length;
  const length = Math.max(1, Math.round(Math.cbrt(count)));
  const mean = series.reduce((sum, value) => sum + value / count, 0);
  let block = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    block += series[i]! - mean;
    if (i >= length) block -= series[i - length]! - mean;
    if (i >= length - 1) squares += block * block;
  }
  return Math.sqrt(squares / ((count - length + 1) * length * count));
}
