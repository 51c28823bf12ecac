import { createWriteStream } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';

/** What an engine needs of TensorFlow's wheel: the two libraries, the C headers and the note of how it was built. */
const neededOfTensorFlow = [
  /^tensorflow\/libtensorflow_(cc|framework)\.(so\.2|2\.dylib)$/,
  /^tensorflow\/include\/(tensorflow\/c|tensorflow\/core\/platform|tsl|xla\/tsl)\/.*\.h$/,
  /^tensorflow\/python\/platform\/build_info\.py$/,
];
/** NVIDIA's wheels are kept as pip lays them out, without what only a compiler of CUDA programs needs. */
const neededOfNvidia = /^nvidia\/(?!.*\/include\/)(?!.*\.(a|h|hpp|pyi?)$)/;

/** Whether an engine needs the file that a wheel holds under `name`. */
export function isNeededFile(name: string): boolean {
  return neededOfNvidia.test(name) || neededOfTensorFlow.some((pattern) => pattern.test(name));
}

/**
 * Unpacks what an engine needs from a wheel, in the layout that pip would give it.
 *
 * @param onBytes told how many bytes were written since the last call.
 */
export async function extractWheel(
  wheel: string,
  folder: string,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const archive = await openPromise(wheel);
  const madeFolders = new Set<string>();
  // yauzl refuses entries with absolute or `..` paths.
  for await (const entry of archive.eachEntry()) {
    signal?.throwIfAborted();
    if (entry.fileName.endsWith('/') || !isNeededFile(entry.fileName)) continue;
    const target = path.join(folder, entry.fileName);
    if (!madeFolders.has(path.dirname(target))) {
      await mkdir(path.dirname(target), { recursive: true });
      madeFolders.add(path.dirname(target));
    }
    const content = await archive.openReadStreamPromise(entry);
    content.on('data', (chunk: Buffer) => {
      onBytes(chunk.length);
    });
    await pipeline(content, createWriteStream(target), { signal });
    const mode = (entry.externalFileAttributes >>> 16) & 0o777;
    // XLA runs `ptxas` from NVIDIA's compiler wheel.
    if (mode & 0o100) await chmod(target, 0o755);
  }
}
