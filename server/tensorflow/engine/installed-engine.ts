import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { bindingVersion, cacheFolder, engineFolderRoot, pinnedTensorFlowVersion } from './engine-cache';

export const engineDevices = ['cpu', 'cuda'] as const;
export type EngineDevice = (typeof engineDevices)[number];

/** What a trainer process needs to load TensorFlow. */
export interface InstalledEngine {
  folder: string;
  /** Absolute path of the N-API binding, for `require`. */
  binding: string;
  tensorflowVersion: string;
  device: EngineDevice;
  /** `wheel`: the pinned wheel; `python`: linked to a Python environment; `stock`: an installed tfjs-node with its own library. */
  source: 'wheel' | 'python' | 'stock';
  /** Variables that must be set before the process that loads the binding starts; empty when nothing is needed. */
  environment: Record<string, string>;
}

/** An installed engine that must not be used. The message names what is broken and the command that repairs it. */
export class BrokenEngineError extends Error {
  override readonly name = 'BrokenEngineError';
  constructor(
    readonly folder: string,
    what: string,
    device: EngineDevice,
  ) {
    super(
      `The native engine in ${folder} is broken: ${what}. Repair it with \`mine engine install --device ${device}\`.`,
    );
  }
}

export const manifestName = 'engine.json';

/** `engine.json`: written last, so a folder that holds it was complete when it was renamed into place. */
export const engineManifestSchema = z.strictObject({
  format: z.literal(1),
  tensorflowVersion: z.string().min(1),
  device: z.enum(engineDevices),
  source: z.enum(['wheel', 'python', 'stock']),
  /** Where TensorFlow's libraries came from: a wheel's name, or the folder that they are linked to. */
  origin: z.string(),
  bindingVersion: z.string(),
  /** `compiled` here, or `prebuilt`: shipped beside the bundle; a stock tfjs-node brings its own. */
  bindingSource: z.enum(['compiled', 'prebuilt', 'stock']),
  /** Relative to the folder, or absolute for a stock tfjs-node. */
  binding: z.string().min(1),
  /** Folders for the library path, relative to the engine folder. */
  libraryFolders: z.array(z.string()),
  /** What the processor or accelerator was called when the engine was verified. */
  devices: z.array(z.string()),
  nodeVersion: z.string(),
  installedAt: z.iso.datetime(),
  /** Every file that is needed at run time, with its size in bytes. */
  files: z.array(z.strictObject({ path: z.string().min(1), bytes: z.int().nonnegative() })).min(1),
});
export type EngineManifest = z.infer<typeof engineManifestSchema>;

/** Name of an engine's folder; everything that makes two engines different is in it. */
export function engineFolderName(device: EngineDevice, source: InstalledEngine['source'], version: string): string {
  return `${folderPrefix(device)}${source}-${version}`;
}

function folderPrefix(device: EngineDevice): string {
  return `${process.platform}-${process.arch}-binding-${bindingVersion}-${device}-`;
}

/**
 * The newest usable engine of this machine, or undefined when none is installed. Without `device`, one for CUDA is
 * preferred. Reads one small file and the sizes of the files that it lists, nothing else.
 *
 * @throws BrokenEngineError when the engine that would be used is incomplete or altered.
 */
export function findInstalledEngine(device?: EngineDevice, cache = cacheFolder()): InstalledEngine | undefined {
  for (const wanted of device === undefined ? (['cuda', 'cpu'] as const) : [device]) {
    const newest = engineFolders(wanted, cache)
      .map((folder) => ({ folder, installed: readEngine(folder, wanted) }))
      .sort((left, right) =>
        right.installed.manifest.installedAt.localeCompare(left.installed.manifest.installedAt),
      )[0];
    if (newest) return newest.installed.engine;
  }
  return undefined;
}

/** Absolute paths of the engine folders for `device` that this version of the program can use. */
export function engineFolders(device: EngineDevice, cache = cacheFolder()): string[] {
  const root = engineFolderRoot(cache);
  let names: string[];
  try {
    names = readdirSync(root);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
  const prefix = folderPrefix(device);
  const otherPin = (name: string): boolean =>
    name.startsWith(`${prefix}wheel-`) && name !== `${prefix}wheel-${pinnedTensorFlowVersion}`;
  return names
    .filter((name) => name.startsWith(prefix) && !name.includes('.partial-') && !otherPin(name))
    .map((name) => path.join(root, name));
}

/**
 * Reads and checks one engine folder.
 *
 * @throws BrokenEngineError
 */
export function readEngine(
  folder: string,
  device: EngineDevice,
): { engine: InstalledEngine; manifest: EngineManifest } {
  const manifest = readManifest(folder, device);
  for (const { path: relative, bytes } of manifest.files) {
    const file = path.resolve(folder, relative);
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found) throw new BrokenEngineError(folder, missingFile(manifest, file), device);
    if (found.size !== bytes) {
      const change = `${relative} has ${found.size} bytes instead of ${bytes}`;
      const why = manifest.source === 'python' ? `; TensorFlow in ${manifest.origin} was changed since` : '';
      throw new BrokenEngineError(folder, change + why, device);
    }
  }
  return {
    manifest,
    engine: {
      folder,
      binding: path.resolve(folder, manifest.binding),
      tensorflowVersion: manifest.tensorflowVersion,
      device: manifest.device,
      source: manifest.source,
      environment: libraryEnvironment(
        manifest.device,
        manifest.libraryFolders.map((relative) => path.resolve(folder, relative)),
      ),
    },
  };
}

function missingFile(manifest: EngineManifest, file: string): string {
  if (manifest.source === 'python') return `${file} is missing; TensorFlow was removed from ${manifest.origin}`;
  return `${file} is missing`;
}

function readManifest(folder: string, device: EngineDevice): EngineManifest {
  let text: string;
  try {
    text = readFileSync(path.join(folder, manifestName), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new BrokenEngineError(folder, `${manifestName} is missing`, device);
    }
    throw error;
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new BrokenEngineError(folder, `${manifestName} is not valid JSON`, device);
  }
  const parsed = engineManifestSchema.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new BrokenEngineError(folder, `${manifestName}: ${issue.path.join('.')}: ${issue.message}`, device);
  }
  return parsed.data;
}

/** The variables that a process needs before it loads libraries from `folders`. */
export function libraryEnvironment(device: EngineDevice, folders: string[]): Record<string, string> {
  const environment: Record<string, string> = {};
  if (folders.length > 0) {
    const inherited = process.env['LD_LIBRARY_PATH'];
    environment['LD_LIBRARY_PATH'] = [...folders, ...(inherited ? [inherited] : [])].join(path.delimiter);
  }
  // Otherwise TensorFlow takes the whole memory of the card at once, also from the desktop and from a second run.
  if (device === 'cuda') environment['TF_FORCE_GPU_ALLOW_GROWTH'] = 'true';
  return environment;
}
