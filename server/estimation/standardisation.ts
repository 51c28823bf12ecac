/** Columns whose standard deviation is below this share of their largest value are constant up to rounding. */
const relativeRounding = 1e-12;

export interface Columns {
  /** Row-major `[rows, columns]`. */
  readonly values: Float64Array;
  readonly columns: number;
  /** Positions of the kept columns among those given. */
  readonly kept: readonly number[];
}

/** Mean, standard deviation (divisor N) and largest magnitude of every column over the given rows. */
function columnMoments(values: Float64Array, columns: number, rows: Int32Array | number) {
  const [mean, deviation, largest] = [0, 1, 2].map(() => new Float64Array(columns)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const count = typeof rows === 'number' ? rows : rows.length;
  const rowAt = (index: number) => (typeof rows === 'number' ? index : rows[index]!);
  for (let index = 0; index < count; index++) {
    for (let column = 0, at = rowAt(index) * columns; column < columns; column++, at++) {
      mean[column]! += values[at]! / count;
      largest[column] = Math.max(largest[column]!, Math.abs(values[at]!));
    }
  }
  for (let index = 0; index < count; index++) {
    for (let column = 0, at = rowAt(index) * columns; column < columns; column++, at++) {
      deviation[column]! += (values[at]! - mean[column]!) ** 2 / count;
    }
  }
  return { mean, deviation: deviation.map(Math.sqrt), largest };
}

/**
 * Every column to mean 0 and variance 1; constant columns are dropped, since they carry no information.
 *
 * @param values row-major `[rows, columns]`.
 * @param fittedOn the rows that mean and deviation come from (training rows only, where there are held-out rows); all by
 * default. A column that is constant there is dropped.
 */
export function standardisedColumns(values: Float64Array, rows: number, fittedOn?: Int32Array): Columns {
  const columns = values.length / rows;
  const { mean, deviation, largest } = columnMoments(values, columns, fittedOn ?? rows);
  const kept: number[] = [];
  for (let column = 0; column < columns; column++) {
    if (deviation[column]! > relativeRounding * largest[column]!) kept.push(column);
  }
  const standardised = new Float64Array(rows * kept.length);
  for (let row = 0, target = 0; row < rows; row++) {
    for (const column of kept) {
      standardised[target++] = (values[row * columns + column]! - mean[column]!) / deviation[column]!;
    }
  }
  return { values: standardised, columns: kept.length, kept };
}

/**
 * Every column by its ranks to the quantiles of a standard normal, then to variance 1. Mutual information does not change
 * under such a map, heavy tails go. Tied values share their mean rank, so that the order of the rows, which may depend on
 * the other side, cannot leak into the ranks. The ranks of a column alone say nothing about which rows of X and Y belong
 * together, so they may be taken over all rows, held-out ones included.
 *
 * @param values row-major `[rows, columns]`. Constant columns are dropped.
 */
export function normalScores(values: Float64Array, rows: number): Columns {
  const columns = values.length / rows;
  const scores = new Float64Array(values.length);
  const order = new Float64Array(rows);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) order[row] = values[row * columns + column]!;
    order.sort();
    const scoreOf = new Map<number, number>();
    for (let start = 0, end = 0; start < rows; start = end) {
      while (end < rows && order[end] === order[start]) end++;
      scoreOf.set(order[start]!, normalQuantile((start + end) / 2 / rows));
    }
    for (let row = 0; row < rows; row++) scores[row * columns + column] = scoreOf.get(values[row * columns + column]!)!;
  }
  return standardisedColumns(scores, rows);
}

/**
 * The quantile function of the standard normal: Acklam's rational approximation, relative error 1.2e-9.
 *
 * @param probability in (0, 1).
 */
export function normalQuantile(probability: number): number {
  if (probability > 0.5) return -normalQuantile(1 - probability);
  if (probability < 0.02425) {
    const tail = Math.sqrt(-2 * Math.log(probability));
    return (
      polynomial(
        tail,
        [
          -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
          2.938163982698783,
        ],
      ) / polynomial(tail, [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1])
    );
  }
  const center = probability - 0.5;
  const square = center * center;
  return (
    (center *
      polynomial(
        square,
        [
          -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
          2.506628277459239,
        ],
      )) /
    polynomial(
      square,
      [-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1],
    )
  );
}

/** Horner's rule, highest power first. */
function polynomial(at: number, coefficients: readonly number[]): number {
  return coefficients.reduce((sum, coefficient) => sum * at + coefficient, 0);
}
