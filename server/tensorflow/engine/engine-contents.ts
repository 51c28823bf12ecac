import { mkdir, readdir, realpath, rm, stat, statfs, symlink } from 'node:fs/promises';
import path from 'node:path';
import { pinnedTensorFlowVersion, wheelFolder } from './engine-cache';
import { downloadWheel } from './download-wheel';
import { extractWheel } from './extract-wheel';
import type { EngineDevice, InstalledEngine } from './installed-engine';
import type { PinnedWheel } from './pinned-wheels';
import { type PythonTensorFlow, tensorflowLibraries } from './python-environment';

/** What an installation is doing, with the bytes of this stage where they are known. */
export interface EngineProgress {
  stage: string;
  bytesDone?: number;
  bytesTotal?: number;
}

/** A place that TensorFlow's libraries can come from. */
export interface LibrarySource {
  source: InstalledEngine['source'];
  version: string;
  /** The folder or file that `engine.json` names as the origin. */
  origin: string;
  /** Puts `tensorflow/` (libraries and headers) and, for CUDA, `nvidia/` into an empty folder. */
  fill: (folder: string) => Promise<void>;
  /** Removes what is not needed any more once the engine is in place. */
  clearAway?: () => Promise<void>;
}

/** The libraries and headers of TensorFlow in a Python environment, by links. */
export function pythonLibraries(tensorflow: PythonTensorFlow, device: EngineDevice): LibrarySource {
  return {
    source: 'python',
    version: tensorflow.version,
    origin: tensorflow.folder,
    fill: async (folder) => {
      const target = path.join(folder, 'tensorflow');
      await mkdir(target, { recursive: true });
      for (const name of [...tensorflowLibraries, 'include']) {
        await symlink(path.join(tensorflow.folder, name), path.join(target, name));
      }
      // Absent where CUDA is installed for the whole machine.
      const nvidia = path.join(path.dirname(tensorflow.folder), 'nvidia');
      if (device === 'cuda' && (await stat(nvidia).catch(() => undefined))) {
        await symlink(await realpath(nvidia), path.join(folder, 'nvidia'));
      }
    },
  };
}

export interface WheelOptions {
  wheels: PinnedWheel[];
  /** How to call pip; not needed for wheels that lie in the wheel folder. */
  pip: string[] | undefined;
  cache: string;
  onProgress: (progress: EngineProgress) => void;
  signal: AbortSignal;
}

/** Whether all of `wheels` lie in the wheel folder. */
export async function areDownloaded(wheels: PinnedWheel[], cache: string): Promise<boolean> {
  return (await missingBytes(wheels, wheelFolder(cache).folder)) === 0;
}

async function missingBytes(wheels: PinnedWheel[], downloads: string): Promise<number> {
  const missing = wheels.map(async (wheel) =>
    (await stat(path.join(downloads, wheel.file)).catch(() => undefined)) ? 0 : wheel.bytes,
  );
  return sum(await Promise.all(missing));
}

/** The libraries and headers of the pinned wheels, downloaded by pip. */
export function wheelLibraries({ wheels, pip, cache, onProgress, signal }: WheelOptions): LibrarySource {
  const { folder: downloads, keep } = wheelFolder(cache);
  return {
    source: 'wheel',
    version: pinnedTensorFlowVersion,
    origin: wheels[0]!.file,
    fill: async (folder) => {
      await refuseFullDisk(folder, downloads, wheels);
      const temporaryFolder = path.join(folder, 'temporary');
      const total = sum(wheels.map((wheel) => wheel.bytes));
      const files: string[] = [];
      let before = 0;
      for (const wheel of wheels) {
        const stage = `Downloading ${wheel.requirement.replace('==', ' ')}`;
        const onBytes = (bytes: number): void => {
          onProgress({ stage, bytesDone: before + bytes, bytesTotal: total });
        };
        onBytes(0);
        files.push(await downloadWheel(wheel, { pip, wheelFolder: downloads, temporaryFolder, onBytes, signal }));
        before += wheel.bytes;
      }
      const bytesTotal = sum(wheels.map((wheel) => wheel.unpackedBytes));
      let bytesDone = 0;
      let reported = 0;
      for (const file of files) {
        const onBytes = (bytes: number): void => {
          bytesDone += bytes;
          // Chunks have 64 KiB; a display needs a few numbers a second.
          if (bytesDone - reported < 16e6 && bytesDone < bytesTotal) return;
          reported = bytesDone;
          onProgress({ stage: 'Unpacking', bytesDone, bytesTotal });
        };
        await extractWheel(file, folder, onBytes, signal);
      }
      await rm(temporaryFolder, { recursive: true, force: true });
    },
    clearAway: async () => {
      if (!keep) await rm(downloads, { recursive: true, force: true });
    },
  };
}

/** Fails before the download, not after it, when the engine can't fit. */
async function refuseFullDisk(folder: string, downloads: string, wheels: PinnedWheel[]): Promise<void> {
  const needed = (await missingBytes(wheels, downloads)) + sum(wheels.map((wheel) => wheel.unpackedBytes));
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  throw new Error(
    `the engine needs ${gigabytes(needed)} in ${path.dirname(folder)}, where only ${gigabytes(bavail * bsize)} are free; ` +
      'free some space, or set MINE_CACHE to a folder on a larger disk',
  );
}

/** Every file of an engine that is needed at run time, relative to its folder, with its size in bytes. */
export async function engineFiles(folder: string): Promise<{ path: string; bytes: number }[]> {
  const names = [
    path.join('binding', 'tfjs_binding.node'),
    ...tensorflowLibraries.map((name) => path.join('tensorflow', name)),
  ];
  // The link's target has to be read itself: a recursive listing does not follow links.
  const nvidia = await readdir(path.join(folder, 'nvidia'), { recursive: true }).catch(() => []);
  names.push(
    ...nvidia.filter((name) => /\.so(\.\d+)*$|\/ptxas$|\.bc$/.test(name)).map((name) => path.join('nvidia', name)),
  );
  return Promise.all(names.map(async (name) => ({ path: name, bytes: (await stat(path.join(folder, name))).size })));
}

/** Folders with NVIDIA's libraries, relative to the engine's folder. */
export async function nvidiaLibraryFolders(folder: string): Promise<string[]> {
  const packages = await readdir(path.join(folder, 'nvidia')).catch(() => []);
  const folders = packages.sort().map((name) => path.join('nvidia', name, 'lib'));
  const found = await Promise.all(folders.map((name) => stat(path.join(folder, name)).catch(() => undefined)));
  return folders.filter((_, index) => found[index]?.isDirectory());
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
