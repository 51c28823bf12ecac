import { canonicalCorrelations } from './canonical-correlation';

/**
 * ln p(x, y) / (p(x) p(y)) of the Gaussian with the data's canonical correlations, but for a constant, on standardised
 * columns: with u = x A and v = y B it is sum over k of square_k (u_k^2 + v_k^2) + product_k u_k v_k.
 */
export interface GaussianLogRatio {
  /** Number of canonical pairs. */
  readonly pairs: number;
  /** A, `[columns of x, pairs]` row-major. */
  readonly directionsX: Float64Array;
  /** B, `[columns of y, pairs]` row-major. */
  readonly directionsY: Float64Array;
  readonly square: Float64Array;
  readonly product: Float64Array;
}

/** Correlations above this would make the ratio too steep to score single pairs with. */
const largestCorrelation = 0.9999;

/**
 * The Gaussian log-ratio of the given rows. Each squared correlation is adjusted for what as many columns on as few rows
 * show by chance, 1 - (1 - r^2)(N - 1)/(N - p - q - 1) (Ezekiel's adjustment), so that nothing is left of pure noise, whatever
 * the dimension.
 *
 * @param x row-major `[rows, p]`, columns of mean about 0. @param y row-major `[rows, q]`.
 * @throws RangeError if a side has more columns than canonical correlations are computed for.
 */
export function gaussianLogRatio(x: Float64Array, y: Float64Array, rows: number): GaussianLogRatio {
  const { correlations, rankX, rankY, directionsX, directionsY } = canonicalCorrelations(x, y, rows);
  // With no more rows than columns the correlations are 1 whatever the data are.
  const spare = rows - rankX - rankY - 1;
  const adjusted = correlations.map((r) =>
    spare > 0 ? Math.min(Math.sqrt(Math.max(1 - ((1 - r * r) * (rows - 1)) / spare, 0)), largestCorrelation) : 0,
  );
  return {
    pairs: adjusted.length,
    directionsX,
    directionsY,
    square: adjusted.map((r) => -(r * r) / (2 * (1 - r * r))),
    product: adjusted.map((r) => r / (1 - r * r)),
  };
}
