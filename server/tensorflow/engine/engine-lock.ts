import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from 'proper-lockfile';

/*
 * A process that was killed can't release its lock; after this time without a sign of life another one takes it.
 */
const staleAfterMilliseconds = 6000;

/**
 * Runs `work` while no other process installs or removes an engine in `root`.
 *
 * @param onWaiting called once when another process holds the lock.
 * @param work is given a signal that is also aborted should the lock be lost.
 */
export async function withEngineLock<Result>(
  root: string,
  signal: AbortSignal | undefined,
  onWaiting: () => void,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const lost = new AbortController();
  const combined = signal ? AbortSignal.any([signal, lost.signal]) : lost.signal;
  let waiting = false;
  for (;;) {
    combined.throwIfAborted();
    let release: () => Promise<void>;
    try {
      release = await lock(root, {
        lockfilePath: path.join(root, 'install.lock'),
        realpath: false,
        stale: staleAfterMilliseconds,
        update: staleAfterMilliseconds / 4,
        onCompromised: (error) => {
          lost.abort(error);
        },
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      if (!waiting) onWaiting();
      waiting = true;
      await sleep(300, undefined, { signal: combined });
      continue;
    }
    try {
      return await work(combined);
    } finally {
      if (!lost.signal.aborted) await release();
    }
  }
}
