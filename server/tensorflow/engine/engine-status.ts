import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder, engineFolderRoot, wheelFolder } from './engine-cache';
import { withEngineLock } from './engine-lock';
import {
  BrokenEngineError,
  type EngineDevice,
  engineDevices,
  engineFolders,
  type EngineManifest,
  type InstalledEngine,
  readEngine,
} from './installed-engine';

/** One engine folder: usable, or broken with the sentence that says what and how to repair it. */
export type EngineStatus =
  | { state: 'installed'; engine: InstalledEngine; manifest: EngineManifest }
  | { state: 'broken'; folder: string; device: EngineDevice; problem: string };

/** Every engine of this program version in the cache. */
export function engineStatus(device?: EngineDevice, cache = cacheFolder()): EngineStatus[] {
  return (device === undefined ? engineDevices : [device]).flatMap((each) =>
    engineFolders(each, cache).map((folder): EngineStatus => {
      try {
        return { state: 'installed', ...readEngine(folder, each) };
      } catch (error) {
        if (!(error instanceof BrokenEngineError)) throw error;
        return { state: 'broken', folder, device: each, problem: error.message };
      }
    }),
  );
}

/**
 * Removes the engines of this cache, also those of other versions of this program and what an interrupted
 * installation left; with `device`, only the engines for it. A folder named by `MINE_WHEELS` is left alone.
 *
 * @returns the folders that were removed.
 */
export async function removeEngine(device?: EngineDevice, cache = cacheFolder()): Promise<string[]> {
  const root = engineFolderRoot(cache);
  const present = await readdir(root).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  });
  if (!present) return [];
  return withEngineLock(
    root,
    undefined,
    () => undefined,
    async () => {
      const names = (await readdir(root)).filter(
        (name) => name !== 'install.lock' && (device === undefined || name.includes(`-${device}-`)),
      );
      const folders = names.map((name) => path.join(root, name));
      const { folder: wheels, keep } = wheelFolder(cache);
      if (!keep && device === undefined) await rm(wheels, { recursive: true, force: true });
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
      return folders;
    },
  );
}
