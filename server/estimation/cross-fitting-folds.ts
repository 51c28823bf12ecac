import type { SeededRandom } from './seeded-random';

export const minimumRowsPerFold = 20;

/** Rows outside the fold that decide when to stop: a tenth, but a hundred where that leaves three quarters to train on. */
function validationRows(rest: number): number {
  // More than 4,000 tell no more.
  return Math.min(4000, Math.round(rest * Math.min(0.25, Math.max(0.1, 100 / rest))));
}

/** The rows of one of the networks, disjoint. */
export interface Fold {
  /** Rows whose pairs the estimate is read from; the network never sees them. */
  readonly heldOut: Int32Array;
  /** Rows that decide when the network's training stops. */
  readonly validation: Int32Array;
  readonly training: Int32Array;
}

/**
 * Deals the rows to folds of equal size: every row is held out once, up to `folds - 1` left over, which are trained on
 * only. All folds have the same numbers of rows in each part, so that their networks train as one batched program.
 *
 * @throws RangeError if there are fewer than `minimumRowsPerFold` rows per fold.
 */
export function crossFittingFolds(rows: number, folds: number, random: SeededRandom): Fold[] {
  const size = Math.floor(rows / folds);
  if (size < minimumRowsPerFold)
    throw new RangeError(
      `${rows} rows are too few for ${folds} folds: at least ${minimumRowsPerFold * folds} are needed.`,
    );
  const order = random.permutation(rows);
  return Array.from({ length: folds }, (_, fold) => {
    const inFold = (index: number) => index >= fold * size && index < (fold + 1) * size;
    const rest = order.filter((_, index) => !inFold(index));
    const cut = validationRows(rest.length);
    return {
      heldOut: order.filter((_, index) => inFold(index)),
      validation: rest.subarray(0, cut),
      training: rest.subarray(cut),
    };
  });
}
