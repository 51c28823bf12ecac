import path from 'node:path';
import { readArray } from '../../../server/datasets/arrays/read-array';
import { SeededRandom } from '../../../server/estimation/seeded-random';

export interface SamplePair {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly rows: number;
}

/** The first `columnsX` columns of a file, and the rest. */
export async function samplePair(file: string, columnsX: number): Promise<SamplePair> {
  const { rows, columns, values } = await readArray(path.basename(file), path.dirname(file));
  return {
    x: values.filter((_, index) => index % columns < columnsX),
    y: values.filter((_, index) => index % columns >= columnsX),
    rows,
  };
}

/** Standard normal vectors whose i-th coordinates correlate by rho; I = -d/2 ln(1 - rho^2). */
export function correlatedGaussians(rows: number, dimension: number, rho: number, seed: number): SamplePair {
  const random = new SeededRandom(seed);
  const x = Float64Array.from({ length: rows * dimension }, () => random.normal());
  const y = x.map((value) => rho * value + Math.sqrt(1 - rho * rho) * random.normal());
  return { x, y, rows };
}
