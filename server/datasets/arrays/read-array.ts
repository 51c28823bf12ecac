import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { parseDelimited } from './delimited-file';
import { parseNpy } from './npy-file';
import { ArrayFileError, type NumericArray } from './numeric-array';

const fileAndColumns = /^(?<file>.*?\.(?<kind>npy|csv|tsv|txt))(?::(?<columns>.*))?$/is;

/** The columns of `file.csv:a,"b, c",3`. */
function columnsOf(text: string, spec: string): string[] {
  try {
    const records = parse(text, { trim: true });
    const columns = records[0] ?? [];
    if (columns.length > 0 && columns.every((column) => column !== '')) return columns;
  } catch {
    // Said below: an unclosed quote and an empty name need the same remedy.
  }
  throw new ArrayFileError(`"${spec}" names no columns after the colon: write file.csv:columnA,columnB.`);
}

/**
 * Reads an array from `file.npy`, `file.csv`, `file.tsv` or `file.txt`, with the chosen columns after a colon
 * (`data.csv:height,weight`; header names or numbers from 1; a name with a comma in double quotes).
 *
 * @param folder where relative paths start.
 * @returns row-major `[rows, columns]`, all values finite.
 * @throws ArrayFileError with one sentence: file, row and column, and what to do.
 */
export async function readArray(spec: string, folder: string): Promise<NumericArray> {
  const match = fileAndColumns.exec(spec)?.groups;
  if (!match?.['file'] || !match['kind']) {
    throw new ArrayFileError(`"${spec}" is not a data file: give a .npy, .csv, .tsv or .txt file.`);
  }
  const columns = match['columns'] === undefined ? null : columnsOf(match['columns'], spec);
  const file = match['file'];
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path.resolve(folder, file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason = code === 'ENOENT' ? 'there is no such file' : (error as Error).message;
    throw new ArrayFileError(`${file} cannot be read in ${path.resolve(folder)}: ${reason}.`);
  }
  return match['kind'].toLowerCase() === 'npy' ? parseNpy(bytes, columns, file) : parseDelimited(bytes, columns, file);
}

/**
 * Reads X and Y, whose rows belong together.
 *
 * @throws ArrayFileError as `readArray`, or if the numbers of rows differ.
 */
export async function readArrayPair(
  xSpec: string,
  ySpec: string,
  folder: string,
): Promise<{ x: NumericArray; y: NumericArray }> {
  const [x, y] = await Promise.all([readArray(xSpec, folder), readArray(ySpec, folder)]);
  if (x.rows !== y.rows) {
    throw new ArrayFileError(
      `${xSpec} has ${x.rows} rows and ${ySpec} has ${y.rows}: row i of X must belong to row i of Y.`,
    );
  }
  return { x, y };
}
