import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { PinnedWheel } from './pinned-wheels';
import { pythonCommands } from './python-environment';
import { ChildFailedError, runChild } from './run-child';

/** A wheel whose content is not the one that this program was tested with. */
export class WrongDigestError extends Error {
  override readonly name = 'WrongDigestError';
  constructor(
    readonly file: string,
    expected: string,
    found: string,
  ) {
    super(
      `${file} has SHA-256 ${found}, not ${expected}: the package index or a proxy served another file. ` +
        'It was not used. Check the index that pip is configured with (`pip config list`) and try again.',
    );
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function fileDigest(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash, { signal });
  return hash.digest('hex');
}

/** @throws WrongDigestError */
export async function verifyWheel(file: string, wheel: PinnedWheel, signal?: AbortSignal): Promise<void> {
  const found = await fileDigest(file, signal);
  if (found !== wheel.sha256) throw new WrongDigestError(file, wheel.sha256, found);
}

/** How to call pip: program and leading parameters; undefined when no Python has it. */
export async function findPip(
  python?: string,
  signal?: AbortSignal,
): Promise<{ command: string[]; version: string } | undefined> {
  const candidates = [
    ...[...new Set([...pythonCommands(python), ...pythonCommands()])].map((command) => [command, '-m', 'pip']),
    ['pip3'],
    ['pip'],
    // An environment that uv made has no pip, but uv lends one.
    ['uv', 'run', '--quiet', '--no-project', '--no-python-downloads', '--with', 'pip', 'python', '-m', 'pip'],
  ];
  for (const command of candidates) {
    try {
      const { stdout } = await runChild(command[0]!, [...command.slice(1), '--version'], {
        signal,
        timeoutMilliseconds: 60_000,
      });
      return { command, version: stdout.trim() };
    } catch (error) {
      if (!(error instanceof ChildFailedError)) throw error;
    }
  }
  return undefined;
}

export interface DownloadOptions {
  pip: string[] | undefined;
  /** Where finished wheels lie. */
  wheelFolder: string;
  /** A folder for unfinished files, which the caller removes. */
  temporaryFolder: string;
  /** Told how many bytes of this wheel are there. */
  onBytes: (bytes: number) => void;
  signal?: AbortSignal | undefined;
}

/**
 * The path of `wheel`, downloaded by the user's own pip, so that its mirrors, proxies and certificates are used, unless
 * it lies in the wheel folder already. A wheel found there with other content is downloaded again.
 *
 * @throws WrongDigestError when pip brought another file than the pinned one.
 * @throws ChildFailedError with pip's message.
 */
export async function downloadWheel(wheel: PinnedWheel, options: DownloadOptions): Promise<string> {
  const { pip, wheelFolder, temporaryFolder, onBytes, signal } = options;
  const target = path.join(wheelFolder, wheel.file);
  if (await exists(target)) {
    try {
      await verifyWheel(target, wheel, signal);
      onBytes(wheel.bytes);
      return target;
    } catch (error) {
      if (!(error instanceof WrongDigestError)) throw error;
    }
  }
  if (!pip) throw new Error(`${target} is not the pinned wheel, and there is no pip to download it with`);
  const pipTemporary = path.join(temporaryFolder, 'pip');
  const destination = path.join(temporaryFolder, 'downloaded');
  await mkdir(pipTemporary, { recursive: true });
  await mkdir(wheelFolder, { recursive: true });
  // pip has no machine-readable progress; the file that it writes grows in its temporary folder, and then moves.
  let seen = 0;
  let finished = false;
  const watch = setInterval(() => {
    void folderBytes(temporaryFolder).then((bytes) => {
      seen = Math.min(Math.max(seen, bytes), wheel.bytes);
      if (!finished) onBytes(seen);
    });
  }, 250);
  try {
    await runChild(
      pip[0]!,
      [
        ...pip.slice(1),
        'download',
        '--no-deps',
        '--no-cache-dir',
        '--disable-pip-version-check',
        '--progress-bar=off',
      ].concat(['--only-binary=:all:', ...wheelTag(wheel.file), '--dest', destination, wheel.requirement]),
      {
        signal,
        environment: { TMPDIR: pipTemporary, PIP_REQUIRE_VIRTUALENV: 'false', PIP_NO_INPUT: '1' },
      },
    );
  } finally {
    finished = true;
    clearInterval(watch);
  }
  const downloaded = path.join(destination, wheel.file);
  if (!(await exists(downloaded))) {
    const instead = (await readdir(destination)).join(', ') || 'nothing';
    throw new Error(`pip downloaded ${instead} instead of ${wheel.file}; the package index has no such file`);
  }
  await verifyWheel(downloaded, wheel, signal);
  await moveFile(downloaded, target);
  onBytes(wheel.bytes);
  return target;
}

/** The options that make pip choose this very file, whatever Python runs it. */
function wheelTag(file: string): string[] {
  const [python, abi, platforms] = file
    .replace(/\.whl$/, '')
    .split('-')
    .slice(-3);
  const platform = platforms!.split('.')[0]!;
  const abiOption = abi === 'none' ? [] : ['--abi', abi!];
  return [
    '--platform',
    platform,
    '--implementation',
    'cp',
    '--python-version',
    python === 'cp311' ? '3.11' : '3',
    ...abiOption,
  ];
}

async function folderBytes(folder: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const found = await stat(path.join(entry.parentPath, entry.name)).catch(() => undefined);
    total += found?.size ?? 0;
  }
  return total;
}

async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    const beside = `${to}.${randomUUID()}`;
    try {
      await copyFile(from, beside);
      await rename(beside, to);
    } finally {
      await rm(beside, { force: true });
    }
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}
