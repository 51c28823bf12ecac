export interface SingularValues {
  /** Descending. */
  readonly values: Float64Array;
  /** `[rows, rank]` row-major. A column that belongs to a value of 0 is 0. */
  readonly left: Float64Array;
  /** `[columns, rank]` row-major. */
  readonly right: Float64Array;
  /** min(rows, columns). */
  readonly rank: number;
}

const convergence = 1e-14;
const maximumSweeps = 60;

/**
 * Singular value decomposition `matrix = left * diag(values) * right^T` by one-sided Jacobi rotations (Hestenes).
 *
 * @param matrix `[rows, columns]` row-major. Time grows with rows * columns * min(rows, columns).
 */
export function singularValues(matrix: Float64Array, rows: number, columns: number): SingularValues {
  if (rows < columns) {
    const { left, right, ...same } = singularValues(transposed(matrix, rows, columns), columns, rows);
    return { ...same, left: right, right: left };
  }
  // Column-major while rotating: a rotation mixes two columns.
  const turned = transposed(matrix, rows, columns);
  const rotation = new Float64Array(columns * columns);
  for (let j = 0; j < columns; j++) rotation[j * columns + j] = 1;
  for (let sweep = 0, rotated = true; rotated && sweep < maximumSweeps; sweep++) {
    rotated = false;
    for (let p = 0; p < columns - 1; p++) {
      for (let q = p + 1; q < columns; q++) {
        const a = turned.subarray(p * rows, (p + 1) * rows);
        const b = turned.subarray(q * rows, (q + 1) * rows);
        let [normA, normB, product] = [0, 0, 0];
        for (let i = 0; i < rows; i++) {
          normA += a[i]! * a[i]!;
          normB += b[i]! * b[i]!;
          product += a[i]! * b[i]!;
        }
        if (Math.abs(product) <= convergence * Math.sqrt(normA * normB)) continue;
        rotated = true;
        const zeta = (normB - normA) / (2 * product);
        const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const cosine = 1 / Math.sqrt(1 + tangent * tangent);
        rotate(a, b, cosine, cosine * tangent);
        rotate(
          rotation.subarray(p * columns, (p + 1) * columns),
          rotation.subarray(q * columns, (q + 1) * columns),
          cosine,
          cosine * tangent,
        );
      }
    }
  }
  const norms = Array.from({ length: columns }, (_, j) => Math.hypot(...turned.subarray(j * rows, (j + 1) * rows)));
  const order = norms.map((_, j) => j).sort((i, j) => norms[j]! - norms[i]!);
  const left = new Float64Array(rows * columns);
  const right = new Float64Array(columns * columns);
  order.forEach((source, target) => {
    const norm = norms[source]!;
    for (let i = 0; i < rows; i++) left[i * columns + target] = norm > 0 ? turned[source * rows + i]! / norm : 0;
    for (let i = 0; i < columns; i++) right[i * columns + target] = rotation[source * columns + i]!;
  });
  return { values: Float64Array.from(order, (source) => norms[source]!), left, right, rank: columns };
}

function rotate(a: Float64Array, b: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < a.length; i++) {
    const [first, second] = [a[i]!, b[i]!];
    a[i] = cosine * first - sine * second;
    b[i] = sine * first + cosine * second;
  }
}

function transposed(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j]!;
  }
  return result;
}
