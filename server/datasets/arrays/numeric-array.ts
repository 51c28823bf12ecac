import { Refusal } from '../../config/refusal';

/** A table of numbers: rows are observations, columns are coordinates of one vector. */
export interface NumericArray {
  readonly rows: number;
  readonly columns: number;
  /** Row-major `[rows, columns]`, all finite. */
  readonly values: Float64Array;
  readonly columnNames: readonly string[];
}

/** What is wrong with an array file, where, and what to do, in one sentence. */
export class ArrayFileError extends Refusal {
  override readonly name = 'ArrayFileError';
}

const listed = 20;

/**
 * The positions of the wanted columns, each given by its name or by its number counted from 1. A name wins over a number.
 *
 * @throws ArrayFileError if one does not exist, with those that do.
 */
export function columnPositions(wanted: readonly string[], names: readonly string[], file: string): number[] {
  return wanted.map((column) => {
    const byName = names.indexOf(column);
    if (byName >= 0) return byName;
    const number = /^\d+$/.test(column) ? Number(column) : 0;
    if (number >= 1 && number <= names.length) return number - 1;
    const existing = names
      .slice(0, listed)
      .map((name) => (name === '' ? '(unnamed)' : name))
      .join(', ');
    const more = names.length > listed ? ` and ${names.length - listed} more` : '';
    throw new ArrayFileError(
      `${file} has no column "${column}": it has ${existing}${more}; give a name or a number from 1 to ${names.length}.`,
    );
  });
}
