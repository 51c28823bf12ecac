import { readSync } from 'node:fs';
import { Message } from 'apache-arrow/ipc/metadata/message';

/** A message of an Arrow IPC stream: a marker of 4 bytes, a length of 4, the metadata, the body. */
export interface ArrowFrame {
  readonly bytes: Buffer;
  /** Where in the file the next frame begins. */
  readonly end: number;
}

const prefixBytes = 8;
const continuationMarker = -1;
/** Far above any frame written here; a damaged length must not make us allocate the machine's memory. */
const maximumFrameBytes = 1 << 30;

/**
 * The whole messages of a stream that may have been cut off anywhere, or is still being written: it ends before the
 * first one that is torn, and at the end-of-stream mark.
 * @param position where a frame begins.
 */
export function* arrowFrames(file: number, position: number): Generator<ArrowFrame> {
  for (let start = position; ;) {
    const bytes = frameAt(file, start);
    if (bytes === null) return;
    start += bytes.length;
    yield { bytes, end: start };
  }
}

function frameAt(file: number, start: number): Buffer | null {
  const prefix = readExactly(file, start, prefixBytes);
  if (prefix?.readInt32LE(0) !== continuationMarker) return null;
  const metadataBytes = prefix.readInt32LE(4);
  if (metadataBytes <= 0 || metadataBytes > maximumFrameBytes) return null;
  const metadata = readExactly(file, start + prefixBytes, metadataBytes);
  const bodyBytes = metadata && bodyLengthOf(metadata);
  if (bodyBytes === null || bodyBytes < 0 || bodyBytes > maximumFrameBytes) return null;
  return readExactly(file, start, prefixBytes + metadataBytes + bodyBytes);
}

function bodyLengthOf(metadata: Buffer): number | null {
  try {
    return Message.decode(metadata).bodyLength;
  } catch {
    return null;
  }
}

/** Null if the file ends before. */
function readExactly(file: number, position: number, length: number): Buffer | null {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const count = readSync(file, bytes, read, length - read, position + read);
    if (count === 0) return null;
    read += count;
  }
  return bytes;
}
