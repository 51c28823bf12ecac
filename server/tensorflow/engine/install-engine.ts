import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { findCompiler, findPrebuiltBinding } from './compile-binding';
import { findPip } from './download-wheel';
import { bindingVersion, cacheFolder, engineFolderRoot } from './engine-cache';
import {
  areDownloaded,
  type EngineProgress,
  engineFiles,
  type LibrarySource,
  nvidiaLibraryFolders,
  pythonLibraries,
  wheelLibraries,
} from './engine-contents';
import { withEngineLock } from './engine-lock';
import { placeEngine, type Placement, removeUnfinished } from './engine-placement';
import {
  BrokenEngineError,
  type EngineDevice,
  engineFolderName,
  engineFolders,
  findInstalledEngine,
  type InstalledEngine,
  libraryEnvironment,
  readEngine,
} from './installed-engine';
import { type BindingTools, makeBinding } from './make-binding';
import { pinnedWheels } from './pinned-wheels';
import { type BindingProbe, probeBinding } from './probe-binding';
import { findPython, usableTensorFlow } from './python-environment';
import { compilerRemedy, pipRemedy, sentence } from './remedies';
import { findStockBinding } from './stock-binding';

export type { EngineProgress } from './engine-contents';

/** No source could give a native engine; the message has one line for each and what to do. */
export class EngineInstallError extends Error {
  override readonly name = 'EngineInstallError';
}

export interface InstallOptions {
  device: EngineDevice;
  /** An interpreter: its TensorFlow is linked to if it has one that fits, its pip is used otherwise. */
  python?: string | undefined;
  /** Instead of the per-user cache folder. */
  cacheFolder?: string | undefined;
  /** Instead of the folder `native` beside the bundle. */
  prebuiltFolder?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: EngineProgress) => void) | undefined;
}

/**
 * Installs the native engine for this user, or returns the one that is there. TensorFlow comes from the given or active
 * Python environment (linked), else from the pinned wheel (downloaded by pip), else from an installed tfjs-node.
 * A second installer waits for the first; nothing is visible under its final name before it was loaded and tried.
 *
 * @throws EngineInstallError when no source works.
 * @throws the signal's reason after an abort; what was downloaded completely is kept for the next time.
 */
export async function installEngine(options: InstallOptions): Promise<InstalledEngine> {
  const { device, python, signal, onProgress = () => undefined } = options;
  const cache = options.cacheFolder ?? cacheFolder();
  const root = engineFolderRoot(cache);
  const installed = python === undefined ? intactEngine(device, cache) : undefined;
  if (installed) return installed;
  await mkdir(root, { recursive: true }).catch((error: unknown) => {
    throw new EngineInstallError(
      `The engine's folder can't be made (${sentence(error)}); set MINE_CACHE to a folder that you can write to.`,
      { cause: error },
    );
  });
  const waiting = (): void => {
    onProgress({ stage: 'Waiting for another installation to finish' });
  };
  return withEngineLock(root, signal, waiting, async (lockSignal) => {
    const other = python === undefined ? intactEngine(device, cache) : undefined;
    if (other) return other;
    await removeUnfinished(root);
    const installation = new Installation({ ...options, onProgress, signal: lockSignal }, cache);
    return installation.run();
  });
}

function intactEngine(device: EngineDevice, cache: string): InstalledEngine | undefined {
  try {
    return findInstalledEngine(device, cache);
  } catch (error) {
    if (error instanceof BrokenEngineError) return undefined;
    throw error;
  }
}

/** One attempt after the other, collecting why each failed. */
class Installation {
  private readonly reasons: string[] = [];

  constructor(
    private readonly options: InstallOptions & { onProgress: (progress: EngineProgress) => void; signal: AbortSignal },
    private readonly cache: string,
  ) {}

  async run(): Promise<InstalledEngine> {
    const { device, signal } = this.options;
    const compiler = await findCompiler(signal);
    const prebuilt = await findPrebuiltBinding(this.options.prebuiltFolder);
    if (!compiler && !prebuilt) this.reasons.push(`there is no C++ compiler (${compilerRemedy()})`);
    const libraries = compiler || prebuilt ? [() => this.pythonSource(), () => this.wheelSource()] : [];
    for (const find of libraries) {
      const source = await find();
      if (!source) continue;
      const same = this.engineFrom(source);
      if (same) return same;
      try {
        return await this.installFrom(source, { compiler: compiler?.command, prebuilt });
      } catch (error) {
        signal.throwIfAborted();
        this.reasons.push(`${source.origin}: ${sentence(error)}`);
      }
    }
    try {
      const stock = await this.installStock();
      if (stock) return stock;
      this.reasons.push('no complete @tensorflow/tfjs-node is installed here');
    } catch (error) {
      signal.throwIfAborted();
      this.reasons.push(`the installed @tensorflow/tfjs-node: ${sentence(error)}`);
    }
    throw new EngineInstallError(
      `No native engine for ${device} could be installed:\n${this.reasons.map((reason) => `- ${reason}`).join('\n')}`,
    );
  }

  private async pythonSource(): Promise<LibrarySource | undefined> {
    const { device, python, signal, onProgress } = this.options;
    onProgress({ stage: 'Looking for TensorFlow in Python' });
    const environment = await findPython(python, signal);
    if (!environment) return undefined;
    const found = await usableTensorFlow(environment, device);
    if (typeof found !== 'string') return pythonLibraries(found, device);
    // Only worth a line where there is one that was passed over.
    if (environment.tensorflow) onProgress({ stage: `Not used: ${found}` });
    return undefined;
  }

  private async wheelSource(): Promise<LibrarySource | undefined> {
    const { device, python, signal, onProgress } = this.options;
    const wheels = pinnedWheels(device);
    if (!wheels) {
      this.reasons.push(`TensorFlow publishes no wheel for ${device} on ${process.platform} ${process.arch}`);
      return undefined;
    }
    const pip = await findPip(python, signal);
    if (!pip && !(await areDownloaded(wheels, this.cache))) {
      this.reasons.push(`no Python here has pip (${pipRemedy()})`);
      return undefined;
    }
    return wheelLibraries({ wheels, pip: pip?.command, cache: this.cache, onProgress, signal });
  }

  /** The intact engine that was made from the same libraries before. */
  private engineFrom({ source, version, origin }: LibrarySource): InstalledEngine | undefined {
    const { device } = this.options;
    const folder = path.join(engineFolderRoot(this.cache), engineFolderName(device, source, version));
    try {
      const { engine, manifest } = readEngine(folder, device);
      return manifest.origin === origin && engineFolders(device, this.cache).length === 1 ? engine : undefined;
    } catch (error) {
      if (error instanceof BrokenEngineError) return undefined;
      throw error;
    }
  }

  private async installFrom(
    { source, version, origin, fill, clearAway }: LibrarySource,
    tools: BindingTools,
  ): Promise<InstalledEngine> {
    const { device, onProgress, signal } = this.options;
    const engine = await placeEngine(this.placement(source, version), async (folder) => {
      await fill(folder);
      const libraryFolders = device === 'cuda' ? await nvidiaLibraryFolders(folder) : [];
      const environment = libraryEnvironment(
        device,
        libraryFolders.map((name) => path.join(folder, name)),
      );
      const { probe, bindingSource } = await makeBinding(tools, { folder, environment, onProgress, signal });
      return {
        ...commonManifest(device, probe),
        source,
        origin,
        bindingSource,
        binding: path.join('binding', 'tfjs_binding.node'),
        libraryFolders,
        files: await engineFiles(folder),
      };
    });
    await clearAway?.();
    return engine;
  }

  private placement(source: InstalledEngine['source'], version: string): Placement {
    const { device, signal } = this.options;
    return { cache: this.cache, device, signal, name: engineFolderName(device, source, version) };
  }

  private async installStock(): Promise<InstalledEngine | undefined> {
    const { device, signal, onProgress } = this.options;
    const stock = await findStockBinding(device);
    if (!stock) return undefined;
    onProgress({ stage: 'Trying the installed tfjs-node' });
    const probe = await probeBinding(stock.binding, { environment: libraryEnvironment(device, []), signal });
    return placeEngine(this.placement('stock', probe.tensorflowVersion), () =>
      Promise.resolve({
        ...commonManifest(device, probe),
        source: 'stock',
        origin: path.dirname(stock.binding),
        bindingSource: 'stock',
        binding: stock.binding,
        libraryFolders: [],
        files: stock.files,
      }),
    );
  }
}

function commonManifest(device: EngineDevice, probe: BindingProbe) {
  return {
    format: 1 as const,
    device,
    tensorflowVersion: probe.tensorflowVersion,
    bindingVersion,
    devices: probe.devices,
    nodeVersion: probe.nodeVersion,
    installedAt: new Date().toISOString(),
  };
}
