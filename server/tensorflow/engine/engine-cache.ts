import { version } from '@tensorflow/tfjs-node/package.json';
import envPaths from 'env-paths';
import path from 'node:path';

/** Version of the npm package whose sources the binding is compiled from. */
export const bindingVersion = version;

/** The TensorFlow release that is downloaded when none is found; its wheels are listed in `pinned-wheels.ts`. */
export const pinnedTensorFlowVersion = '2.21.0';

/** The per-user cache folder: `MINE_CACHE` if set, else as the platform's rules (XDG on Linux) say. */
export function cacheFolder(): string {
  const override = process.env['MINE_CACHE'];
  return override ? path.resolve(override) : envPaths('mine', { suffix: '' }).cache;
}

/** The folder whose subfolders are the engines. */
export function engineFolderRoot(cache = cacheFolder()): string {
  return path.join(cache, 'engines');
}

/**
 * Where wheels are looked for and put: `MINE_WHEELS` if set (they are kept there, so that a machine without a network
 * can be given them), else a folder of the cache, emptied once they are unpacked.
 */
export function wheelFolder(cache: string): { folder: string; keep: boolean } {
  const override = process.env['MINE_WHEELS'];
  return override
    ? { folder: path.resolve(override), keep: true }
    : { folder: path.join(cache, 'wheels'), keep: false };
}
