import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readArray, readArrayPair } from '../../../../server/datasets/arrays/read-array';
import expectedRows from '../../../oracle/array-files/expected.json';

// Made by test/oracle/array_files.py with NumPy and pandas.
const fixtures = path.join(import.meta.dirname, '../../../oracle/array-files');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'arrays-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function textFile(text: string): Promise<string> {
  const name = `${crypto.randomUUID()}.csv`;
  await writeFile(path.join(folder, name), text);
  return name;
}

function rowsOf({ rows, columns, values }: Awaited<ReturnType<typeof readArray>>): number[][] {
  return Array.from({ length: rows }, (_, row) => [...values.subarray(row * columns, (row + 1) * columns)]);
}

async function problemOf(spec: string, where = fixtures): Promise<string> {
  return readArray(spec, where).then(
    () => 'no problem',
    (error: unknown) => (error as Error).message,
  );
}

describe('reading what NumPy and pandas wrote', () => {
  it.each(Object.entries(expectedRows))('%s', async (file, rows) => {
    const spec = file === 'pandas-index.csv' ? `${file}:2,3,4` : file;
    expect(rowsOf(await readArray(spec, fixtures))).toEqual(rows);
  });

  it('names the columns by the header, or by number where there is none', async () => {
    const header = ['height', 'weight, kg', 'the "third"'];
    expect((await readArray('windows.csv', fixtures)).columnNames).toEqual(header);
    expect((await readArray('pandas-semicolon.csv', fixtures)).columnNames).toEqual(header);
    expect((await readArray('no-header.csv', fixtures)).columnNames).toEqual(['1', '2', '3']);
    expect((await readArray('fortran-3d.npy', fixtures)).columns).toBe(6);
  });

  it('chooses columns by name or number, in the order asked for', async () => {
    const rows = expectedRows['pandas.csv'];
    const chosen = await readArray('pandas.csv:"weight, kg",1', fixtures);
    expect(chosen.columnNames).toEqual(['weight, kg', 'height']);
    expect(rowsOf(chosen)).toEqual(rows.map((row) => [row[1], row[0]]));
    expect(rowsOf(await readArray('fortran.npy:3', fixtures))).toEqual(rows.map((row) => [row[2]]));
  });

  it('reads absolute paths, upper-case endings and folders with dots and colons', async () => {
    const name = path.join(folder, 'a:b.csv.d.CSV');
    await writeFile(name, 'a,b\n1,2\n');
    expect(rowsOf(await readArray(`${name}:b`, '/nowhere'))).toEqual([[2]]);
  });
});

describe('one sentence says what is wrong, where, and what to do', () => {
  it.each([
    ['nan.npy', 'nan.npy has NaN in row 2, column 2: remove the row or fill in a number.'],
    ['infinite.npy', 'infinite.npy has -Infinity in row 3, column 1: remove the row or fill in a number.'],
    ['complex.npy', 'complex.npy holds values of type c16, not real numbers: save it with .astype(float).'],
    ['text.npy', 'text.npy holds values of type U1, not real numbers: save it with .astype(float).'],
    ['scalar.npy', 'scalar.npy holds a single number, not an array of rows.'],
    ['no-rows.npy', 'no-rows.npy is empty: its shape is (0, 3).'],
    ['missing.csv', 'missing.csv has an empty cell in line 3, column "b": remove the row or choose'],
    [
      'pandas-index.csv:age',
      'pandas-index.csv has no column "age": it has (unnamed), height, weight, kg, the "third";',
    ],
    ['fortran.npy:4', 'fortran.npy has no column "4": it has 1, 2, 3; give a name or a number from 1 to 3.'],
    ['pandas.csv:', '"pandas.csv:" names no columns after the colon: write file.csv:columnA,columnB.'],
    ['pandas.csv:a,,b', '"pandas.csv:a,,b" names no columns after the colon'],
    ['absent.csv', 'there is no such file'],
    ['data.xlsx', '"data.xlsx" is not a data file: give a .npy, .csv, .tsv or .txt file.'],
  ])('%s', async (spec, sentence) => {
    expect(await problemOf(spec)).toContain(sentence);
  });

  it('a structured array', async () => {
    expect(await problemOf('structured.npy')).toMatch(
      /^structured\.npy holds a structured array .* save one plain array/,
    );
  });

  it.each([
    ['a,b\n1,2\n3\n', 'has 1 cells in line 3 where the first line has 2'],
    ['a,b\n1,2\n\n3,n/a\n', 'has the missing value "n/a" in line 4, column "b"'],
    ['1,2\n3,-inf\n', 'has the infinite value "-inf" in line 2, column 2'],
    ['a\n"two\nlines"\n', 'has "two\\nlines", which is not a number, in line 3, column "a"'],
    ['a,b\n1,0x10\n', 'has "0x10", which is not a number, in line 2'],
    ['a;b\n1,5;1.000,5\n', 'has "1.000,5", which is not a number, in line 2'],
    ['a,b\n1,"2\n', 'cannot be read as a table'],
    ['a,b\n', 'is empty: it has a header but no rows.'],
    ['', 'is empty: it has no lines.'],
  ])('%j', async (text, sentence) => {
    expect(await problemOf(await textFile(text), folder)).toContain(sentence);
  });

  it('a file cut off while it was written, anywhere', async () => {
    const whole = await readFile(path.join(fixtures, 'little-f8.npy'));
    for (const length of [0, 3, 8, 11, 60, whole.length - 1]) {
      await writeFile(path.join(folder, 'cut.npy'), whole.subarray(0, length));
      expect(await problemOf('cut.npy', folder)).toMatch(
        /^cut\.npy (is not a NumPy file|ends inside|has \d+ bytes where)/,
      );
    }
    await writeFile(path.join(folder, 'long.npy'), Buffer.concat([whole, Buffer.alloc(8)]));
    expect(await problemOf('long.npy', folder)).toContain('it is damaged');
  });

  it('text that is not UTF-8', async () => {
    await writeFile(path.join(folder, 'latin.csv'), Buffer.from('gr\xf6\xdfe\n1\n', 'latin1'));
    expect(await problemOf('latin.csv', folder)).toBe('latin.csv is not UTF-8 text: save it as UTF-8.');
  });

  it('files of different lengths', async () => {
    await expect(readArrayPair('fortran-3d.npy', 'pandas.csv:1', fixtures)).rejects.toThrow(
      'fortran-3d.npy has 4 rows and pandas.csv:1 has 5: row i of X must belong to row i of Y.',
    );
  });
});
