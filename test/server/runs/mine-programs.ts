import { build } from 'esbuild';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import type { RunRecord } from '../../../server/protocol/run-record';
import { listRuns } from '../../../server/runs/find-run';
import { livenessOf } from '../../../server/runs/process-identity';

const repository = join(import.meta.dirname, '../../..');

/** The command line and a trainer as they ship: bundled, in processes of their own. */
export interface MinePrograms {
  readonly cli: string;
  /** A folder of this test file's own. */
  readonly folder: string;
  readonly runs: string;
}

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartedMine {
  readonly process: ChildProcess;
  readonly ended: Promise<Outcome>;
}

/**
 * Bundles the programs before the tests of a file.
 * @param trainer the trainer's entry, relative to the repository.
 */
export function useMinePrograms(trainer = 'test/server/runs/regression-trainer.ts'): MinePrograms {
  const folder = mkdtempSync(join(tmpdir(), 'mine-test-'));
  // Within the repository, where the programs find the packages that they load at run time.
  const cache = join(repository, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const programs = mkdtempSync(join(cache, 'mine-test-'));
  beforeAll(async () => {
    await build({
      absWorkingDir: repository,
      entryPoints: { cli: 'server/cli.ts', trainer },
      outdir: programs,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      logLevel: 'warning',
      external: ['@mapbox/node-pre-gyp'],
    });
  });
  afterAll(async () => {
    // Also where a test failed half-way: a trainer ends with the command line that started it.
    for (const { process: child, ended } of started.splice(0)) {
      child.kill('SIGKILL');
      await ended;
    }
    await eventually(() => (liveTrainersIn(folder) === 0 ? true : null));
    for (const made of [folder, programs]) rmSync(made, { recursive: true, force: true });
  });
  return { cli: join(programs, 'cli.js'), folder, runs: join(folder, 'runs') };
}

const started: StartedMine[] = [];

function liveTrainersIn(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const folders = new Set(names.map((name) => dirname(dirname(join(folder, name)))));
  return [...folders]
    .flatMap((runs) => listRuns(runs).runs)
    .filter(({ record }) => livenessOf(record.process) === 'alive').length;
}

/** Starts `mine` with its output collected. */
export function startMine(
  { cli, folder, runs }: MinePrograms,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): StartedMine {
  const child = spawn(process.execPath, [cli, ...parameters], {
    cwd: folder,
    env: { ...process.env, MINE_RUNS: runs, NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (exitCode) => {
      resolve({ exitCode, stdout, stderr });
    });
  });
  started.push({ process: child, ended });
  return { process: child, ended };
}

export function runMine(
  programs: MinePrograms,
  parameters: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<Outcome> {
  return startMine(programs, parameters, environment).ended;
}

/** Writes a configuration and returns its path. */
export function writeConfig({ folder }: MinePrograms, name: string, config: object): string {
  const path = join(folder, `${name}.mine.json`);
  writeFileSync(path, JSON.stringify({ experiment: 'mutual-information', name, ...config }));
  return path;
}

/** A runs folder of a test's own. */
export function runsOf({ folder }: MinePrograms, name: string): string {
  return join(folder, 'runs-of', name);
}

/** The directories of the runs in a folder. */
export function runsIn(runs: string): string[] {
  return existsSync(runs) ? readdirSync(runs).map((name) => join(runs, name)) : [];
}

/** Starts a run in a runs folder of its own and waits until it trains. */
export async function startRun(
  programs: MinePrograms,
  name: string,
  config: object,
): Promise<StartedMine & { readonly run: string }> {
  const runs = runsOf(programs, name);
  const started = startMine(programs, ['run', writeConfig(programs, name, config), '--runs', runs]);
  const run = await eventually(() => runsIn(runs).find((path) => existsSync(join(path, 'run.json'))));
  await eventually(() => (recordOf(run).state === 'running' && recordOf(run).step > 0 ? true : null), 60);
  return { ...started, run };
}

export function recordOf(run: string): RunRecord {
  return JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as RunRecord;
}

/** Waits until `found` gives something else than null or undefined. */
export async function eventually<T>(found: () => T | null | undefined, seconds = 20): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const value = found();
    if (value !== null && value !== undefined) return value;
    if (performance.now() > end) throw new Error(`Not after ${seconds} s: ${found.toString()}`);
    await delay(20);
  }
}
