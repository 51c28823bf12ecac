import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writing } from './disk-failure';

/** Temporary files that a killed process left behind end so. */
export const partialSuffix = '.partial';

/**
 * Writes a file beside its final place and renames it: a reader sees the old content or the new, never a part.
 *
 * Not the write-file-atomic package: it writes with a single `write(2)`, whose short count on a nearly full disk it takes
 * for success, and then renames the torn file over the good one.
 * @param options.durable waits until the content is on the disk, so that it survives a power failure too.
 * @throws WriteFailure; the old content is then still there.
 */
export function replaceFile(path: string, content: string | Uint8Array, options: { readonly durable: boolean }): void {
  const partial = `${path}.${process.pid}${partialSuffix}`;
  writing(path, () => {
    try {
      const file = openSync(partial, 'w');
      try {
        writeFileSync(file, content);
        if (options.durable) fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(partial, path);
    } catch (error) {
      rmSync(partial, { force: true });
      throw error;
    }
    if (options.durable && process.platform !== 'win32') syncDirectory(dirname(path));
  });
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
