import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { lock } from 'proper-lockfile';
import { cacheFolder } from '../../server/tensorflow/engine/engine-cache';

const execute = promisify(execFile);

/** Folder in the user's cache for what tests fetch: Python environments and public data. */
export const oracleCache = path.join(cacheFolder(), 'oracle');

/** The Python that environments are made with: `MINE_PYTHON`, else `python3`. */
export const basePython = process.env['MINE_PYTHON'] ?? 'python3';

/** Runs a program; its error output is in the message when it fails. */
export async function runProgram(program: string, parameters: readonly string[], folder?: string): Promise<string> {
  const { stdout } = await execute(program, parameters, { cwd: folder, maxBuffer: 2 ** 28 });
  return stdout;
}

/** Does `make` once across processes: `folder` counts as made when its marker file stands. */
export async function ensureFolder(folder: string, make: () => Promise<void>): Promise<void> {
  const marker = path.join(folder, '.complete');
  if (existsSync(marker)) return;
  await mkdir(path.dirname(folder), { recursive: true });
  const release = await lock(folder, {
    realpath: false,
    stale: 60_000,
    retries: { retries: 600, minTimeout: 1000, maxTimeout: 1000 },
  });
  try {
    if (existsSync(marker)) return;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await make();
    await writeFile(marker, '');
  } finally {
    await release();
  }
}

/**
 * A Python virtual environment with the given packages, made on the first call and kept in the user's cache under a hash
 * of the requirements.
 *
 * @param requirements as pip reads them, pinned (`numpy==2.4.6`).
 * @returns path of its `python`.
 * @throws if there is no Python or pip cannot install them, with pip's message.
 */
export async function ensureOracleEnvironment(requirements: readonly string[]): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([...requirements].sort()))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(oracleCache, `python-${key}`);
  const python = path.join(folder, ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
  await ensureFolder(folder, async () => {
    await runProgram(basePython, ['-m', 'venv', folder]);
    if (requirements.length > 0) await runProgram(python, ['-m', 'pip', 'install', '--quiet', ...requirements]);
  });
  return python;
}
