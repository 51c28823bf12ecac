import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { VariableValue } from '../tensorflow/program';

/**
 * The safetensors format (huggingface/safetensors, "Format"): an 8-byte little-endian header length, a JSON header of
 * `{ name: { dtype, shape, data_offsets } }` with an optional `__metadata__` of strings, then the raw data without gaps.
 * Only float32 is written, since that is all that TensorFlow's variables hold here.
 */

const lengthBytes = 8;
/** The reference implementation's limit; a damaged length must not make us allocate the machine's memory. */
const maximumHeaderBytes = 100_000_000;

const tensorEntry = z.strictObject({
  dtype: z.literal('F32'),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});

export interface Safetensors {
  readonly tensors: Map<string, VariableValue>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The content is damaged or is not safetensors; the message says where. */
export class SafetensorsError extends Error {}

/** @param metadata `sha256`, the hash of the data, is added. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, VariableValue>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: Record<string, z.infer<typeof tensorEntry>> = {};
  let end = 0;
  for (const [name, { shape, values }] of tensors) {
    if (elementCount(shape) !== values.length) {
      throw new SafetensorsError(`Variable ${name} has shape [${shape.join(', ')}] but ${values.length} values.`);
    }
    entries[name] = { dtype: 'F32', shape: [...shape], data_offsets: [end, end + values.byteLength] };
    end += values.byteLength;
  }
  const data = Buffer.concat([...tensors.values()].map(({ values }) => bytesOf(values)));
  const header = JSON.stringify({ __metadata__: { ...metadata, sha256: sha256(data) }, ...entries });
  // Blanks up to a multiple of 8, so that the data is aligned for a reader that maps the file into memory.
  const padded = header.padEnd(header.length + ((8 - (Buffer.byteLength(header) % 8)) % 8), ' ');
  const length = Buffer.alloc(lengthBytes);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(padded)));
  return Buffer.concat([length, Buffer.from(padded), data]);
}

/** @throws SafetensorsError if the content is cut off, damaged or of another format. */
export function decodeSafetensors(content: Uint8Array): Safetensors {
  const { entries, metadata, data } = splitHeader(content);
  const tensors = new Map<string, VariableValue>();
  let expectedStart = 0;
  const inOrder = [...entries].sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
  for (const [name, { shape, data_offsets }] of inOrder) {
    const [start, end] = data_offsets;
    if (start !== expectedStart || end - start !== elementCount(shape) * Float32Array.BYTES_PER_ELEMENT) {
      throw new SafetensorsError(`The data of ${name} does not lie where its shape says.`);
    }
    if (end > data.length) throw new SafetensorsError(`The file is cut off within ${name}.`);
    // A copy: the data need not be aligned to 4 bytes in the file.
    tensors.set(name, { shape, values: new Float32Array(new Uint8Array(data.subarray(start, end)).buffer) });
    expectedStart = end;
  }
  if (expectedStart !== data.length) throw new SafetensorsError('There are bytes after the last variable.');
  if (metadata['sha256'] !== undefined && metadata['sha256'] !== sha256(data)) {
    throw new SafetensorsError('The data does not match its SHA-256: the file is damaged.');
  }
  return { tensors, metadata };
}

/** The metadata alone, from the beginning of a file. @throws SafetensorsError */
export function decodeSafetensorsMetadata(beginning: Uint8Array): Readonly<Record<string, string>> {
  return splitHeader(beginning).metadata;
}

function splitHeader(content: Uint8Array) {
  if (content.length < lengthBytes) throw new SafetensorsError('The file is shorter than 8 bytes.');
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > maximumHeaderBytes) throw new SafetensorsError(`The header would be ${length} bytes long.`);
  if (lengthBytes + length > content.length) throw new SafetensorsError('The file is cut off within its header.');
  const header = parseHeader(content.subarray(lengthBytes, lengthBytes + length));
  return { ...header, data: content.subarray(lengthBytes + length) };
}

function parseHeader(bytes: Uint8Array) {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw new SafetensorsError('The header is not JSON.');
  }
  const { __metadata__: metadata = {}, ...entries } = expectHeader(z.record(z.string(), z.unknown()), json);
  return {
    metadata: expectHeader(z.record(z.string(), z.string()), metadata),
    entries: Object.entries(expectHeader(z.record(z.string(), tensorEntry), entries)),
  };
}

function expectHeader<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SafetensorsError(`The header is not as expected: ${z.prettifyError(parsed.error)}`);
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
