import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { engineFolderRoot } from './engine-cache';
import {
  type EngineDevice,
  engineFolders,
  type EngineManifest,
  type InstalledEngine,
  manifestName,
  readEngine,
} from './installed-engine';

/** Folders that a killed installer left; whoever holds the lock is the only installer. */
export async function removeUnfinished(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (name.includes('.partial-')) await rm(path.join(root, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface Placement {
  cache: string;
  device: EngineDevice;
  /** Name of the engine's folder. */
  name: string;
  signal: AbortSignal;
}

/**
 * Lets `fill` make an engine in a folder beside the final one, writes the manifest last, renames the folder into place,
 * and removes the engines for the same device that it replaces. The caller holds the lock.
 */
export async function placeEngine(
  { cache, device, name, signal }: Placement,
  fill: (folder: string) => Promise<EngineManifest>,
): Promise<InstalledEngine> {
  const root = engineFolderRoot(cache);
  const final = path.join(root, name);
  const unfinished = `${final}.partial-${randomUUID().slice(0, 8)}`;
  await mkdir(unfinished);
  try {
    const manifest = await fill(unfinished);
    await writeFile(path.join(unfinished, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
    signal.throwIfAborted();
    // A folder can't be renamed onto one that has content.
    await rename(final, `${final}.partial-replaced`).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
    await rename(unfinished, final);
  } finally {
    await removeUnfinished(root);
  }
  for (const folder of engineFolders(device, cache)) {
    if (folder !== final) await rm(folder, { recursive: true, force: true });
  }
  return readEngine(final, device).engine;
}
