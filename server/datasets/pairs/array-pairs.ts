import * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { arrayPairs } from '../../config/mutual-information';
import { SeededRandom } from '../../estimation/seeded-random';
import { standardisedColumns } from '../../estimation/standardisation';
import type { NumericArray } from '../arrays/numeric-array';
import { readArrayPair } from '../arrays/read-array';
import { FixedPairs } from './fixed-pairs';
import { trainingRows } from './training-rows';

const FEWEST_ROWS = 50;

/**
 * The rows of two files in random order, the last fifth held out, each column standardised with training rows only.
 * @throws ArrayFileError naming file, row and column; an error of one sentence for too few rows or columns without any variation.
 */
export async function readArrayPairs(
  config: z.infer<typeof arrayPairs>,
  folder: string,
  seed: number,
): Promise<FixedPairs> {
  const { x, y } = await readArrayPair(config.x, config.y, folder);
  if (x.rows < FEWEST_ROWS)
    throw new Error(
      `${config.x} has ${x.rows} rows: at least ${FEWEST_ROWS} are needed to train and to hold some out.`,
    );
  const order = new SeededRandom(seed).permutation(x.rows);
  const training = order.subarray(0, trainingRows(x.rows));
  return new FixedPairs(
    { x: standardised(x, config.x, order, training), z: standardised(y, config.y, order, training) },
    null,
  );
}

function standardised(array: NumericArray, file: string, order: Int32Array, training: Int32Array): tf.Tensor {
  const { values, columns } = standardisedColumns(array.values, array.rows, training);
  if (columns === 0)
    throw new Error(`${file} holds the same value in every row: a constant has no mutual information with anything.`);
  const shuffled = new Float32Array(values.length);
  order.forEach((row, i) => {
    shuffled.set(values.subarray(row * columns, (row + 1) * columns), i * columns);
  });
  return tf.tensor2d(shuffled, [array.rows, columns]);
}
