import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { type EngineDevice } from './installed-engine';
import { ChildFailedError, runChild } from './run-child';

/** A Python interpreter and what it says about itself. */
export interface PythonEnvironment {
  /** As it was asked for: a path, or a name to be found on PATH. */
  command: string;
  executable: string;
  version: string;
  tensorflow: { folder: string; version: string | null } | null;
}

// Finding a package's specification does not import it: TensorFlow would take seconds and 500 MB. The empty entry of
// sys.path is the working directory, where a folder called `tensorflow` would pass for the package.
const describeEnvironment = `
import json, os, platform, sys
sys.path = [entry for entry in sys.path if entry]
import importlib.util, importlib.metadata
found = importlib.util.find_spec("tensorflow")
tensorflow = None
if found is not None and found.origin:
    version = None
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tensorflow-cpu-aws", "tf-nightly", "tf-nightly-cpu"):
        try:
            version = importlib.metadata.version(name)
            break
        except importlib.metadata.PackageNotFoundError:
            pass
    tensorflow = {"folder": os.path.dirname(os.path.realpath(found.origin)), "version": version}
print(json.dumps({"executable": sys.executable, "version": platform.python_version(), "tensorflow": tensorflow}))
`;
const descriptionSchema = z.object({
  executable: z.string().min(1),
  version: z.string(),
  tensorflow: z.object({ folder: z.string(), version: z.string().nullable() }).nullable(),
});

/** Interpreters to try, best first: the given one alone, or that of the active environment and those on PATH. */
export function pythonCommands(given?: string): string[] {
  if (given !== undefined) return [given];
  const inEnvironment = (root: string): string =>
    process.platform === 'win32' ? path.join(root, 'python.exe') : path.join(root, 'bin', 'python');
  const virtual = process.env['VIRTUAL_ENV'];
  const conda = process.env['CONDA_PREFIX'];
  return [
    ...(virtual ? [path.join(virtual, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')] : []),
    ...(conda ? [inEnvironment(conda)] : []),
    ...(process.platform === 'win32' ? ['python'] : ['python3', 'python']),
  ];
}

/** @throws ChildFailedError when it can't be run or is older than Python 3.8. */
export async function describePython(command: string, signal?: AbortSignal): Promise<PythonEnvironment> {
  const { stdout } = await runChild(command, ['-c', describeEnvironment], { signal, timeoutMilliseconds: 30_000 });
  return { command, ...descriptionSchema.parse(JSON.parse(stdout)) };
}

/**
 * The first interpreter of `pythonCommands` that runs.
 *
 * @throws UnusablePythonError when a given one does not run.
 */
export async function findPython(given?: string, signal?: AbortSignal): Promise<PythonEnvironment | undefined> {
  for (const command of pythonCommands(given)) {
    try {
      return await describePython(command, signal);
    } catch (error) {
      if (!(error instanceof ChildFailedError)) throw error;
      if (given !== undefined) throw new UnusablePythonError(given, error);
    }
  }
  return undefined;
}

/** An interpreter that the user named is none, or is too old. */
export class UnusablePythonError extends Error {
  override readonly name = 'UnusablePythonError';
  constructor(command: string, cause: ChildFailedError) {
    super(`${command} is not a Python 3.8 or newer: it ${cause.exit}. Name one that is with \`--python PATH\`.`, {
      cause,
    });
  }
}

/** TensorFlow in a Python environment, with what an engine links to. */
export interface PythonTensorFlow {
  folder: string;
  version: string;
}

/** Oldest TensorFlow whose C interface the binding was tested with; newer releases of major version 2 only add to it. */
export const oldestTensorFlow = { major: 2, minor: 15 };

/** TensorFlow's shared libraries on this platform, as its wheels name them. */
export const tensorflowLibraries =
  process.platform === 'darwin'
    ? (['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'] as const)
    : (['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const);

/**
 * The TensorFlow of `python` if an engine for `device` can be linked to it; otherwise a sentence that says why not.
 * Nothing is imported.
 */
export async function usableTensorFlow(
  python: PythonEnvironment,
  device: EngineDevice,
): Promise<PythonTensorFlow | string> {
  const { tensorflow, executable } = python;
  if (!tensorflow) return `${executable} has no TensorFlow`;
  const { folder, version } = tensorflow;
  if (version === null) return `the version of the TensorFlow in ${folder} could not be told`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major !== oldestTensorFlow.major || minor < oldestTensorFlow.minor) {
    return `TensorFlow ${version} in ${folder} is not between ${oldestTensorFlow.major}.${oldestTensorFlow.minor} and 3`;
  }
  for (const needed of [...tensorflowLibraries, 'include/tensorflow/c/c_api.h', 'include/tensorflow/c/eager/c_api.h']) {
    try {
      await access(path.join(folder, needed));
    } catch {
      return `the TensorFlow ${version} in ${folder} has no ${needed}`;
    }
  }
  if (device === 'cuda' && !(await isCudaBuild(folder))) {
    return `the TensorFlow ${version} in ${folder} was built without CUDA`;
  }
  return { folder, version };
}

async function isCudaBuild(folder: string): Promise<boolean> {
  try {
    const buildInfo = await readFile(path.join(folder, 'python/platform/build_info.py'), 'utf8');
    return /['"]is_cuda_build['"]\s*,\s*True/.test(buildInfo);
  } catch {
    return false;
  }
}
