import { digamma } from './digamma';
import { MaximumNormTree } from './maximum-norm-tree';
import { SeededRandom } from './seeded-random';
import { standardisedColumns } from './standardisation';

/** Coordinates looked at, rows x queries x dimension, above which the mean is taken over a random part of the rows. */
const comparisonLimit = 1e9;
const fewestQueries = 500;
/** From this joint dimension on a k-d tree looks at nearly every point. */
const highDimension = 8;
/** Breaks ties; relative to the standard deviation, as scikit-learn's. */
const tieBreakingNoise = 1e-10;

export interface NearestNeighbourEstimate {
  /** Mutual information in nats; may fall below 0 by chance. */
  readonly estimate: number;
  readonly neighbours: number;
  /** Rows over which the mean is taken: all, unless high dimension makes that slow. Neighbours are sought among all rows. */
  readonly queries: number;
}

/**
 * The first estimator of Kraskov, Stoegbauer and Grassberger (2004):
 * psi(k) + psi(N) - < psi(n_x + 1) + psi(n_y + 1) >.
 *
 * Every column is scaled to unit variance, since the maximum norm compares columns, and gets noise of 1e-10 to break
 * ties, as in scikit-learn's `mutual_info_regression`; unlike there, the estimate is not clipped at 0. With many ties
 * (rounded or discrete data) it is unreliable.
 *
 * @param x row-major `[rows, columns]`. @param y the same number of rows.
 * @throws RangeError if there are no more rows than neighbours, or a side has no column that varies.
 */
export function nearestNeighbourEstimate(
  x: Float64Array,
  y: Float64Array,
  rows: number,
  { neighbours = 3, seed = 1 }: { neighbours?: number; seed?: number } = {},
): NearestNeighbourEstimate {
  if (rows <= neighbours) throw new RangeError(`${rows} rows are too few for ${neighbours} nearest neighbours.`);
  const random = new SeededRandom(seed);
  const [sideX, sideY] = [x, y].map((side) => {
    const { values, columns } = standardisedColumns(side, rows);
    if (columns === 0) throw new RangeError('A side has no column that varies.');
    return { values: values.map((value) => value + tieBreakingNoise * random.normal()), columns };
  }) as [{ values: Float64Array; columns: number }, { values: Float64Array; columns: number }];

  const dimension = sideX.columns + sideY.columns;
  const joint = new Float64Array(rows * dimension);
  for (let row = 0; row < rows; row++) {
    joint.set(sideX.values.subarray(row * sideX.columns, (row + 1) * sideX.columns), row * dimension);
    joint.set(sideY.values.subarray(row * sideY.columns, (row + 1) * sideY.columns), row * dimension + sideX.columns);
  }
  const jointTree = new MaximumNormTree(joint, rows, dimension, neighbours);
  const xTree = new MaximumNormTree(sideX.values, rows, sideX.columns);
  const yTree = new MaximumNormTree(sideY.values, rows, sideY.columns);

  const affordable = Math.max(fewestQueries, Math.floor(comparisonLimit / (rows * dimension)));
  const limit = dimension >= highDimension ? affordable : rows;
  const queries = limit < rows ? random.permutation(rows).subarray(0, limit) : null;
  let sum = 0;
  for (let query = 0; query < (queries?.length ?? rows); query++) {
    const row = queries?.[query] ?? query;
    const distance = jointTree.neighbourDistance(row);
    sum += digamma(xTree.countWithin(row, distance) + 1) + digamma(yTree.countWithin(row, distance) + 1);
  }
  const used = queries?.length ?? rows;
  return { estimate: digamma(neighbours) + digamma(rows) - sum / used, neighbours, queries: used };
}
