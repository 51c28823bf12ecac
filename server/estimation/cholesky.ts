/** Pivots below this share of the diagonal mean a column that is a linear combination of those before it. */
const relativePivot = 1e-9;

export interface CholeskyFactor {
  /** Lower triangle `[size, size]`, row-major; the row of a dependent column is zero but for a 1 on the diagonal. */
  readonly lower: Float64Array;
  readonly size: number;
  /** Columns that are linear combinations of earlier ones. */
  readonly dependent: readonly number[];
  /** ln det of the part without dependent columns. */
  readonly logDeterminant: number;
}

/**
 * Cholesky factor of a covariance matrix that may be singular: columns that depend linearly on earlier ones are set aside.
 *
 * @param matrix symmetric, `[size, size]` row-major, positive semi-definite.
 */
export function choleskyFactor(matrix: Float64Array, size: number): CholeskyFactor {
  const lower = new Float64Array(size * size);
  const dependent: number[] = [];
  let logDeterminant = 0;
  for (let j = 0; j < size; j++) {
    let pivot = matrix[j * size + j]!;
    for (let k = 0; k < j; k++) pivot -= lower[j * size + k]! ** 2;
    if (!(pivot > relativePivot * matrix[j * size + j]!)) {
      dependent.push(j);
      lower.fill(0, j * size, j * size + j);
      lower[j * size + j] = 1;
      continue;
    }
    logDeterminant += Math.log(pivot);
    const root = Math.sqrt(pivot);
    lower[j * size + j] = root;
    for (let i = j + 1; i < size; i++) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * size + k]! * lower[j * size + k]!;
      lower[i * size + j] = sum / root;
    }
  }
  return { lower, size, dependent, logDeterminant };
}

/**
 * Solves `lower * solution = right` in place, for every column of `right`, `[size, columns]` row-major. Rows of dependent
 * columns come out 0.
 */
export function solveLower({ lower, size, dependent }: CholeskyFactor, right: Float64Array, columns: number): void {
  for (let i = 0; i < size; i++) {
    const row = right.subarray(i * columns, (i + 1) * columns);
    if (dependent.includes(i)) {
      row.fill(0);
      continue;
    }
    for (let k = 0; k < i; k++) {
      const factor = lower[i * size + k]!;
      if (factor === 0) continue;
      for (let c = 0; c < columns; c++) row[c]! -= factor * right[k * columns + c]!;
    }
    const diagonal = lower[i * size + i]!;
    for (let c = 0; c < columns; c++) row[c]! /= diagonal;
  }
}
