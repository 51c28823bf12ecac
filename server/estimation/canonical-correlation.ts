import { choleskyFactor, solveLower, type CholeskyFactor } from './cholesky';
import { digamma } from './digamma';
import { singularValues } from './singular-values';
import { standardisedColumns } from './standardisation';

/** Columns per side above which the decomposition takes too long in JavaScript. */
const maximumColumns = 256;
/** A canonical correlation this near 1 is 1 up to rounding. */
const perfectCorrelation = 1 - 1e-9;

export interface CanonicalCorrelations {
  /** Descending, in [0, 1]; as many as the smaller side has linearly independent columns. */
  readonly correlations: Float64Array;
  /** Linearly independent columns of each side. */
  readonly rankX: number;
  readonly rankY: number;
  /** Coefficients of the canonical variates over X's columns, `[columns, correlations]` row-major; unit variance. */
  readonly directionsX: Float64Array;
  readonly directionsY: Float64Array;
}

/** Covariance of columns that have mean 0: `[p, q]` row-major. */
function crossCovariance(x: Float64Array, p: number, y: Float64Array, q: number, rows: number): Float64Array {
  const covariance = new Float64Array(p * q);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < p; i++) {
      const xi = x[row * p + i]! / rows;
      for (let j = 0; j < q; j++) covariance[i * q + j]! += xi * y[row * q + j]!;
    }
  }
  return covariance;
}

/** Directions over the columns: `lower^-T * vectors`. */
function backSubstituted({ lower, size, dependent }: CholeskyFactor, vectors: Float64Array, count: number) {
  const directions = vectors.slice();
  for (let i = size - 1; i >= 0; i--) {
    for (let c = 0; c < count; c++) {
      let sum = directions[i * count + c]!;
      for (let k = i + 1; k < size; k++) sum -= lower[k * size + i]! * directions[k * count + c]!;
      directions[i * count + c] = dependent.includes(i) ? 0 : sum / lower[i * size + i]!;
    }
  }
  return directions;
}

/**
 * Canonical correlations of two sets of columns with mean 0. Columns that depend linearly on others of their side are set
 * aside.
 *
 * @param x row-major `[rows, p]`. @param y row-major `[rows, q]`.
 * @throws RangeError if a side has more than 256 columns.
 */
export function canonicalCorrelations(x: Float64Array, y: Float64Array, rows: number): CanonicalCorrelations {
  const [p, q] = [x.length / rows, y.length / rows];
  if (Math.max(p, q) > maximumColumns) {
    throw new RangeError(`Canonical correlations are computed for up to ${maximumColumns} columns per side.`);
  }
  const factorX = choleskyFactor(crossCovariance(x, p, x, p, rows), p);
  const factorY = choleskyFactor(crossCovariance(y, q, y, q, rows), q);
  // Lx^-1 Sxy Ly^-T: from the left, then from the right on the transpose.
  const whitened = crossCovariance(x, p, y, q, rows);
  solveLower(factorX, whitened, q);
  const turned = new Float64Array(p * q);
  for (let i = 0; i < p; i++) for (let j = 0; j < q; j++) turned[j * p + i] = whitened[i * q + j]!;
  solveLower(factorY, turned, p);
  const { values, left, right, rank } = singularValues(turned, q, p);
  const rankX = p - factorX.dependent.length;
  const rankY = q - factorY.dependent.length;
  return {
    correlations: values.subarray(0, Math.min(rankX, rankY)).map((value) => Math.min(value, 1)),
    rankX,
    rankY,
    directionsX: leadingColumns(backSubstituted(factorX, right, rank), rank, Math.min(rankX, rankY)),
    directionsY: leadingColumns(backSubstituted(factorY, left, rank), rank, Math.min(rankX, rankY)),
  };
}

function leadingColumns(matrix: Float64Array, columns: number, count: number): Float64Array {
  return matrix.filter((_, index) => index % columns < count);
}

export interface CanonicalCorrelationEstimate {
  /** Nats, unbiased for Gaussian data; Infinity if a combination of X's columns equals one of Y's; NaN if too few rows. */
  readonly estimate: number;
  /** -1/2 sum ln(1 - rho^2), biased up by about p q / (2 N). */
  readonly plugIn: number;
  readonly correlations: readonly number[];
}

/**
 * Mutual information as if X and Y were jointly Gaussian: exact there, no bound on either side elsewhere, and blind
 * to any dependence but the linear one.
 *
 * The plug-in value's bias is removed exactly: for Gaussian data E ln det of a sample covariance of rank p on nu degrees of
 * freedom is ln det Sigma + sum over i = 1..p of psi((nu - i + 1) / 2) + p ln(2 / nu) (Wishart; Misra et al., 2005).
 *
 * @param x row-major `[rows, p]`. @param y row-major `[rows, q]`.
 * @throws RangeError as `canonicalCorrelations`, or if a side has no column that varies.
 */
export function canonicalCorrelationEstimate(
  x: Float64Array,
  y: Float64Array,
  rows: number,
): CanonicalCorrelationEstimate {
  const [sideX, sideY] = [standardisedColumns(x, rows), standardisedColumns(y, rows)];
  if (sideX.columns === 0 || sideY.columns === 0) throw new RangeError('A side has no column that varies.');
  const { correlations, rankX, rankY } = canonicalCorrelations(sideX.values, sideY.values, rows);
  const freedom = rows - 1;
  if (freedom < rankX + rankY) return { estimate: NaN, plugIn: NaN, correlations: [...correlations] };
  if (correlations[0]! > perfectCorrelation) {
    return { estimate: Infinity, plugIn: Infinity, correlations: [...correlations] };
  }
  const plugIn = correlations.reduce((sum, correlation) => sum - 0.5 * Math.log1p(-(correlation ** 2)), 0);
  const digammas = (rank: number) => {
    let sum = 0;
    for (let i = 1; i <= rank; i++) sum += digamma((freedom - i + 1) / 2);
    return sum;
  };
  const bias = 0.5 * (digammas(rankX) + digammas(rankY) - digammas(rankX + rankY));
  return { estimate: plugIn - bias, plugIn, correlations: [...correlations] };
}
