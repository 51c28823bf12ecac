import { ArrayFileError, columnPositions, type NumericArray } from './numeric-array';

/*
 * npyjs reads little-endian files only, takes a cut-off file for a shorter array, leaves Fortran order to the caller, and
 * fails on headers that are not padded to the item size: so the format is read here.
 * Source: numpy/lib/format.py, "Format Version 1.0" to "3.0".
 */

type ReadElement = (view: DataView, offset: number, littleEndian: boolean) => number;

function float16(view: DataView, offset: number, littleEndian: boolean): number {
  const bits = view.getUint16(offset, littleEndian);
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const elementTypes: Readonly<Record<string, { size: number; read: ReadElement }>> = {
  b1: { size: 1, read: (view, offset) => (view.getUint8(offset) ? 1 : 0) },
  i1: { size: 1, read: (view, offset) => view.getInt8(offset) },
  u1: { size: 1, read: (view, offset) => view.getUint8(offset) },
  i2: { size: 2, read: (view, offset, little) => view.getInt16(offset, little) },
  u2: { size: 2, read: (view, offset, little) => view.getUint16(offset, little) },
  i4: { size: 4, read: (view, offset, little) => view.getInt32(offset, little) },
  u4: { size: 4, read: (view, offset, little) => view.getUint32(offset, little) },
  i8: { size: 8, read: (view, offset, little) => Number(view.getBigInt64(offset, little)) },
  u8: { size: 8, read: (view, offset, little) => Number(view.getBigUint64(offset, little)) },
  f2: { size: 2, read: float16 },
  f4: { size: 4, read: (view, offset, little) => view.getFloat32(offset, little) },
  f8: { size: 8, read: (view, offset, little) => view.getFloat64(offset, little) },
};

interface NpyHeader {
  readonly type: string;
  readonly littleEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  readonly dataOffset: number;
}

function npyHeader(bytes: Uint8Array, file: string): NpyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = String.fromCharCode(...bytes.subarray(0, 6));
  if (magic !== '\x93NUMPY') {
    throw new ArrayFileError(`${file} is not a NumPy file: write it with numpy.save, which writes one array.`);
  }
  const cut = new ArrayFileError(`${file} ends inside its header: it was not written completely.`);
  if (bytes.length < 12) throw cut;
  const [start, length] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  if (bytes.length < start + length) throw cut;
  const text = new TextDecoder('latin1').decode(bytes.subarray(start, start + length));
  const described = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(text)?.[1];
  if (described === undefined || order === undefined || shape === undefined) {
    throw new ArrayFileError(
      `${file} holds a structured array or a damaged header (${text.trim().slice(0, 80)}): save one plain array of numbers.`,
    );
  }
  return {
    type: described.replace(/^[<>|=]/, ''),
    littleEndian: !described.startsWith('>'),
    fortranOrder: order === 'True',
    shape: [...shape.matchAll(/\d+/g)].map((size) => Number(size[0])),
    dataOffset: start + length,
  };
}

/** Where the columns of one row lie, in elements from the row's first: the axes after the first, unrolled in C order. */
function columnOffsets({ shape, fortranOrder }: NpyHeader, columns: number): Float64Array {
  if (!fortranOrder) return Float64Array.from({ length: columns }, (_, column) => column);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
  return Float64Array.from({ length: columns }, (_, column) => {
    let [rest, offset] = [column, 0];
    for (let axis = shape.length - 1; axis >= 1; axis--) {
      offset += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return offset;
  });
}

/**
 * Reads a `.npy` file. The first axis is the rows; further axes are unrolled in C order (`[N, 28, 28]` becomes
 * `[N, 784]`); a one-dimensional array is one column. Columns are named by their numbers from 1. Integers beyond 2^53 are
 * rounded to the nearest double.
 *
 * @param wanted numbers of the columns, from 1; null for all.
 * @throws ArrayFileError if the file is no NumPy file, not complete, not numeric, or holds NaN or an infinity.
 */
export function parseNpy(bytes: Uint8Array, wanted: readonly string[] | null, file: string): NumericArray {
  const header = npyHeader(bytes, file);
  const element = elementTypes[header.type];
  if (!element) {
    throw new ArrayFileError(
      `${file} holds values of type ${header.type}, not real numbers: save it with .astype(float).`,
    );
  }
  if (header.shape.length === 0) throw new ArrayFileError(`${file} holds a single number, not an array of rows.`);
  const rows = header.shape[0]!;
  const width = header.shape.slice(1).reduce((product, size) => product * size, 1);
  if (rows === 0 || width === 0) {
    throw new ArrayFileError(`${file} is empty: its shape is (${header.shape.join(', ')}).`);
  }
  const expected = header.dataOffset + rows * width * element.size;
  if (bytes.length !== expected) {
    throw new ArrayFileError(
      `${file} has ${bytes.length} bytes where shape (${header.shape.join(', ')}) of ${header.type} needs ${expected}: it is ${bytes.length < expected ? 'not complete' : 'damaged'}.`,
    );
  }
  const names = Array.from({ length: width }, (_, column) => String(column + 1));
  const positions = wanted ? columnPositions(wanted, names, file) : names.map((_, column) => column);
  const offsets = columnOffsets(header, width);
  const rowStride = header.fortranOrder ? 1 : width;
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.dataOffset);
  const values = new Float64Array(rows * positions.length);
  let target = 0;
  for (let row = 0; row < rows; row++) {
    for (const column of positions) {
      const value = element.read(view, (row * rowStride + offsets[column]!) * element.size, header.littleEndian);
      if (!Number.isFinite(value)) {
        throw new ArrayFileError(
          `${file} has ${value} in row ${row + 1}, column ${column + 1}: remove the row or fill in a number.`,
        );
      }
      values[target++] = value;
    }
  }
  return { rows, columns: positions.length, values, columnNames: positions.map((column) => names[column]!) };
}
