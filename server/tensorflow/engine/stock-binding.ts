import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { EngineDevice } from './installed-engine';

/** tfjs-node as its own install script leaves it: the binding and the library that was downloaded with it. */
export interface StockBinding {
  binding: string;
  /** Everything that must stay as it is, as absolute paths with sizes in bytes. */
  files: { path: string; bytes: number }[];
}

/**
 * A complete `@tensorflow/tfjs-node` (or `-gpu` for CUDA) installed in the working directory's project, beside this
 * program, or in one of the `NODE_PATH` folders.
 */
export async function findStockBinding(device: EngineDevice, from = process.cwd()): Promise<StockBinding | undefined> {
  const name = device === 'cuda' ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';
  for (const start of [from, __dirname]) {
    let folder: string;
    try {
      folder = path.dirname(createRequire(path.join(start, 'engine.js')).resolve(`${name}/package.json`));
    } catch {
      continue;
    }
    const bindings = await listFiles(path.join(folder, 'lib'), /tfjs_binding\.node$/);
    // `napi-v8` is newer than `napi-v7`.
    const binding = bindings.sort().at(-1);
    if (!binding) continue;
    const libraries = await listFiles(path.join(folder, 'deps', 'lib'), /\.(so|dylib|dll)(\.[\d.]+)?$/);
    const files = await Promise.all(
      [binding, ...libraries].map(async (file) => ({ path: file, bytes: (await stat(file)).size })),
    );
    return { binding, files };
  }
  return undefined;
}

async function listFiles(folder: string, pattern: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  return entries.filter((name) => pattern.test(name)).map((name) => path.join(folder, name));
}
