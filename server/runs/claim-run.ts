import { lock } from 'proper-lockfile';
import { Refusal } from '../config/refusal';
import { activeStates, type RunRecord } from '../protocol/run-record';
import { currentProcess, livenessOf } from './process-identity';
import { runPaths } from './run-paths';
import { readRunRecord, writeRunRecord } from './run-record-file';

/**
 * Makes this process the one that works on a run: `run.json` then names it, and its state is `preparing`. The record
 * itself is the lock, since a process that was killed is known to be gone at once; the lock file only guards the moment of
 * reading and replacing it, so that of two processes that race one is refused.
 *
 * @param purpose `start`: a run that the parent of this process has just created. `resume`: any run that nobody works on
 *   and that is not finished.
 * @throws Refusal if the run is finished or another process works on it.
 */
export async function claimRun(run: string, purpose: 'start' | 'resume'): Promise<RunRecord> {
  readRunRecord(run);
  const release = await lockClaim(run);
  try {
    const record = readRunRecord(run);
    if (purpose === 'resume') refuseUnlessResumable(run, record);
    else if (record.process.pid !== process.ppid) throw new Refusal(`Another process started ${record.id}.`);
    const now = new Date().toISOString();
    const claimed: RunRecord = {
      ...record,
      state: 'preparing',
      reason: null,
      process: currentProcess(),
      updatedAt: now,
      endedAt: null,
    };
    writeRunRecord(run, claimed, true);
    return claimed;
  } finally {
    await release();
  }
}

/** @throws Refusal unless the run is unfinished and nobody works on it. */
export function refuseUnlessResumable(run: string, record: RunRecord): void {
  if (record.state === 'finished') {
    throw new Refusal(`${record.id} is finished: there is nothing to resume. Start another run to train longer.`);
  }
  if (!activeStates.has(record.state)) return;
  const { pid, host } = record.process;
  const liveness = livenessOf(record.process);
  if (liveness === 'alive') {
    throw new Refusal(
      `${record.id} is ${record.state} in process ${pid}: stop it first with \`mine stop ${record.id}\`.`,
    );
  }
  if (liveness === 'unknown') {
    throw new Refusal(
      `${record.id} is ${record.state} in process ${pid} on ${host}, and this machine cannot see whether that process still runs. ` +
        `Resume it there; if ${host} is gone, set "state" in ${runPaths.record(run)} to "interrupted" and try again.`,
    );
  }
}

async function lockClaim(run: string): Promise<() => Promise<void>> {
  try {
    return await lock(run, {
      lockfilePath: runPaths.claim(run),
      stale: 10_000,
      retries: { retries: 60, minTimeout: 200, maxTimeout: 200 },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    throw new Refusal(`Another process is taking up ${run} right now: try again in a moment.`);
  }
}
