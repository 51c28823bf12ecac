import { build } from 'esbuild';
import envPaths from 'env-paths';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { installEngine } from '../../../../server/tensorflow/engine/install-engine';
import type { InstalledEngine } from '../../../../server/tensorflow/engine/installed-engine';

/** What is downloaded for the tests is kept for the next run. */
const testCache = envPaths('mine-tests', { suffix: '' }).cache;
export const testWheelFolder = path.join(testCache, 'wheels');
const repository = path.resolve(import.meta.dirname, '../../../..');

/** A new folder on the file system of the kept downloads, so that those can be linked into it. */
export function makeTestFolder(): string {
  mkdirSync(testCache, { recursive: true });
  return mkdtempSync(path.join(testCache, 'test-'));
}

/** An engine from the pinned wheel that is kept between test runs; tests only read it. */
export function sharedEngine(): Promise<InstalledEngine> {
  return installEngine({ device: 'cpu', python: pythonWithoutTensorFlow(), cacheFolder: testCache });
}

/** An interpreter that has pip and, whatever the machine has, no TensorFlow. */
export function pythonWithoutTensorFlow(): string {
  const folder = path.join(testCache, 'python');
  const python = path.join(folder, 'bin', 'python');
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', '--without-pip', folder]);
  return python;
}

/**
 * A Python environment with the libraries and headers of `engine` laid out as pip lays out TensorFlow `version`. Its
 * package can't be imported: an installer that does so fails.
 */
export function pythonWithTensorFlow(folder: string, engine: InstalledEngine, version = '2.21.0'): string {
  execFileSync('python3', ['-m', 'venv', '--without-pip', folder]);
  const lib = path.join(folder, 'lib');
  const packages = path.join(lib, readdirSync(lib)[0]!, 'site-packages');
  const tensorflow = path.join(packages, 'tensorflow');
  mkdirSync(path.join(tensorflow, 'python/platform'), { recursive: true });
  const source = path.join(engine.folder, 'tensorflow');
  for (const name of readdirSync(source).filter((each) => each !== 'python')) {
    symlinkSync(realpathSync(path.join(source, name)), path.join(tensorflow, name));
  }
  writeFileSync(path.join(tensorflow, '__init__.py'), 'raise RuntimeError("TensorFlow was imported")\n');
  writeFileSync(
    path.join(tensorflow, 'python/platform/build_info.py'),
    "build_info = collections.OrderedDict([('is_cuda_build', False)])\n",
  );
  const metadata = path.join(packages, `tensorflow_cpu-${version}.dist-info`);
  mkdirSync(metadata);
  writeFileSync(path.join(metadata, 'METADATA'), `Metadata-Version: 2.1\nName: tensorflow-cpu\nVersion: ${version}\n`);
  return path.join(folder, 'bin', 'python');
}

/** The engine's two commands, bundled as the product is. */
export async function bundleCommandLine(): Promise<string> {
  const outfile = path.join(repository, 'node_modules/.cache/mine-tests/engine-cli.cjs');
  await build({
    stdin: {
      contents: `
        import { Command } from 'commander';
        import { createEngineCommand } from './server/commands/engine';
        import { createDoctorCommand } from './server/commands/doctor';
        void new Command('mine').addCommand(createEngineCommand()).addCommand(createDoctorCommand()).parseAsync();`,
      resolveDir: repository,
      loader: 'ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'error',
  });
  return outfile;
}

export interface CommandRun {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the bundled command line; `onStage` may end it. */
export function runCommandLine(
  bundle: string,
  parameters: string[],
  environment: Record<string, string>,
  onStderr?: (text: string, process: { kill: (signal: NodeJS.Signals) => void }) => void,
  cwd?: string,
): Promise<CommandRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bundle, ...parameters], {
      cwd,
      env: { ...process.env, MINE_WHEELS: testWheelFolder, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      onStderr?.(stderr, { kill: (signal) => child.kill(signal) });
    });
    child.once('error', reject).once('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

/** Other releases of Node, from npm: on Linux the packages `node-linux-*`, on macOS `node-bin-darwin-*`. */
export function installNode(major: 22 | 24): string {
  const name = `${process.platform === 'darwin' ? 'node-bin-darwin' : `node-${process.platform}`}-${process.arch}`;
  const folder = path.join(testCache, `node-${major}`);
  const node = path.join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--prefix', folder, `${name}@${major}`], {
      stdio: 'pipe',
    });
  }
  return node;
}

export const installedEngineSchema = z.strictObject({
  folder: z.string(),
  binding: z.string(),
  tensorflowVersion: z.string(),
  device: z.enum(['cpu', 'cuda']),
  source: z.enum(['wheel', 'python', 'stock']),
  environment: z.record(z.string(), z.string()),
});

/** What an installation may leave in a cache besides finished engines. */
export function unfinishedIn(cache: string): string[] {
  const root = path.join(cache, 'engines');
  return existsSync(root) ? readdirSync(root).filter((name) => /partial|lock/.test(name)) : [];
}
