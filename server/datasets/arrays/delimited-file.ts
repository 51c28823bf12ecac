import { CsvError, parse } from 'csv-parse/sync';
import { ArrayFileError, columnPositions, type NumericArray } from './numeric-array';

const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const missingValue = /^(|nan|na|n\/a|null|none)$/i;
const infiniteValue = /^[+-]?inf(inity)?$/i;

/** The delimiter that the first line uses: tab, semicolon or comma; a line without any is a single column. */
function delimiterOf(text: string): string {
  const line = text.slice(0, text.search(/[\r\n]|$/)).replaceAll(/"[^"]*"/g, '');
  return ['\t', ';'].find((delimiter) => line.includes(delimiter)) ?? ',';
}

/** A file that separates by semicolons writes decimal commas (the spreadsheet format of most of Europe). */
function plainNumber(cell: string, delimiter: string): string {
  return delimiter === ';' && !cell.includes('.') ? cell.replace(',', '.') : cell;
}

function cellProblem(cell: string): string {
  if (missingValue.test(cell)) return cell === '' ? 'an empty cell' : `the missing value "${cell}"`;
  if (infiniteValue.test(cell)) return `the infinite value "${cell}"`;
  return `${JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}...` : cell)}, which is not a number,`;
}

/** Numbers that grow as rows arrive, since the number of rows is known only at the end of the file. */
class GrowingValues {
  private values = new Float64Array(1024);
  private length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Float64Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
  }

  all(): Float64Array {
    return this.values.slice(0, this.length);
  }
}

/**
 * Reads comma-, semicolon- or tab-separated text: quotes, a byte order mark and Windows line ends are understood. The first
 * line is a header unless every cell of it is a number; without a header columns are named by their numbers.
 *
 * @param wanted columns by header name or by number from 1; null for all.
 * @throws ArrayFileError naming the line and the column of the first cell that is not a finite number, or a line that
 * has another number of cells than the first, or a column that does not exist.
 */
export function parseDelimited(bytes: Uint8Array, wanted: readonly string[] | null, file: string): NumericArray {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ArrayFileError(`${file} is not UTF-8 text: save it as UTF-8.`);
  }
  const delimiter = delimiterOf(text);
  const growing = new GrowingValues();
  let names: string[] | undefined;
  let positions: number[] = [];

  const readRow = (cells: readonly string[], header: readonly string[], line: number): void => {
    if (cells.length !== header.length) {
      throw new ArrayFileError(
        `${file} has ${cells.length} cells in line ${line} where the first line has ${header.length}: the rows must be equally long.`,
      );
    }
    for (const position of positions) {
      const cell = plainNumber(cells[position]!, delimiter);
      const value = numberPattern.test(cell) ? Number(cell) : NaN;
      if (!Number.isFinite(value)) {
        const column = header[position] === String(position + 1) ? `${position + 1}` : `"${header[position]!}"`;
        throw new ArrayFileError(
          `${file} has ${cellProblem(cells[position]!)} in line ${line}, column ${column}: remove the row or choose other columns as ${file}:columnA,columnB.`,
        );
      }
      growing.push(value);
    }
  };

  try {
    parse(text, {
      delimiter,
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      on_record: (cells: string[], { lines }) => {
        if (names) {
          readRow(cells, names, lines);
          return null;
        }
        const isData = cells.every((cell) => numberPattern.test(plainNumber(cell, delimiter)));
        names = isData ? cells.map((_, column) => String(column + 1)) : cells;
        positions = wanted ? columnPositions(wanted, names, file) : names.map((_, column) => column);
        if (isData) readRow(cells, names, lines);
        return null;
      },
    });
  } catch (error) {
    if (error instanceof CsvError) throw new ArrayFileError(`${file} cannot be read as a table: ${error.message}.`);
    throw error;
  }
  const values = growing.all();
  if (!names || values.length === 0) {
    throw new ArrayFileError(`${file} is empty: it has ${names ? 'a header but no rows' : 'no lines'}.`);
  }
  const columnNames = positions.map((position) => names![position]!);
  return { rows: values.length / positions.length, columns: positions.length, values, columnNames };
}
