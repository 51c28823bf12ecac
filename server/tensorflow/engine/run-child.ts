import { spawn } from 'node:child_process';

/** A child process that failed; `output` is the end of what it wrote, for the user. */
export class ChildFailedError extends Error {
  override readonly name = 'ChildFailedError';
  constructor(
    command: string,
    readonly exit: string,
    readonly output: string,
  ) {
    super(`${command} ${exit}${output ? `:\n${output}` : ''}`);
  }
}

export interface ChildOptions {
  signal?: AbortSignal | undefined;
  /** Added to this process's environment. */
  environment?: Record<string, string | undefined>;
  cwd?: string;
  timeoutMilliseconds?: number;
}

const keptOutput = 200_000;

/**
 * Runs a program to its end and returns what it wrote. An abort or a time-out ends it together with its own children.
 *
 * @throws ChildFailedError when it can't be started or does not exit with 0; the signal's reason after an abort.
 */
export async function runChild(
  command: string,
  parameters: string[],
  { signal, environment, cwd, timeoutMilliseconds }: ChildOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  signal?.throwIfAborted();
  // A process group of its own: pip and the compiler driver have children, which a signal to them alone would leave.
  const ownGroup = process.platform !== 'win32';
  const child = spawn(command, parameters, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: ownGroup,
    windowsHide: true,
    cwd,
    env: { ...process.env, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout = (stdout + text).slice(-keptOutput)));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-keptOutput)));

  const send = (name: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      if (ownGroup) process.kill(-child.pid, name);
      else child.kill(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  let timedOut = false;
  let insist: NodeJS.Timeout | undefined;
  const stop = (): void => {
    send('SIGTERM');
    insist = setTimeout(() => {
      send('SIGKILL');
    }, 1000);
  };
  const timeout =
    timeoutMilliseconds === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          stop();
        }, timeoutMilliseconds);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const exit = await new Promise<string | undefined>((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code === 'ENOENT' ? 'was not found' : `could not be started (${error.message})`);
      });
      child.once('close', (code, killedBy) => {
        if (timedOut) resolve(`did not finish within ${(timeoutMilliseconds ?? 0) / 1000} s`);
        else if (killedBy) resolve(`was ended by ${killedBy}`);
        else resolve(code === 0 ? undefined : `failed with exit code ${code ?? 'unknown'}`);
      });
    });
    signal?.throwIfAborted();
    if (exit !== undefined) throw new ChildFailedError(command, exit, lastLines(stderr.trim() || stdout.trim()));
    return { stdout, stderr };
  } finally {
    clearTimeout(timeout);
    clearTimeout(insist);
    signal?.removeEventListener('abort', stop);
  }
}

function lastLines(text: string): string {
  return text.split('\n').slice(-12).join('\n');
}
