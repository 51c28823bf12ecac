import { Command } from 'commander';
import { setTimeout as delay } from 'node:timers/promises';
import { Refusal } from '../config/refusal';
import type { ControlRequest } from '../protocol/control-request';
import { activeStates, type ShownState } from '../protocol/run-record';
import { removeRequest, requestControl, waitingRequests } from '../runs/control-files';
import { findRun, type FoundRun, openRun } from '../runs/find-run';
import { runsFolder } from '../runs/runs-folder';
import { estimateText } from './reading-text';
import { readSummary } from '../runs/summary-file';
import { countText } from './text-format';

/** `mine pause`: stops training between two iterations until `mine resume`. */
export function createPauseCommand(): Command {
  return controlCommand('pause', 'pause a run between two iterations', (run) => {
    removeRequest(run.path, 'resume');
    return (state) => state === 'paused';
  });
}

/** `mine resume`: lets a paused run go on. */
export function createResumeCommand(): Command {
  return controlCommand('resume', 'let a paused run go on', (run) => {
    removeRequest(run.path, 'pause');
    return (state) => state !== 'paused';
  });
}

/** `mine stop`: ends a run early, with a checkpoint and a read-out. */
export function createStopCommand(): Command {
  return controlCommand('stop', 'end a run early, with a checkpoint and a read-out', () => (state) => !isActive(state));
}

/** `mine checkpoint`: writes a checkpoint now. */
export function createCheckpointCommand(): Command {
  return controlCommand('checkpoint', 'write a checkpoint now', () => () => true);
}

/**
 * @param begin withdraws the opposite request and returns which state fulfils this one.
 */
function controlCommand(
  request: ControlRequest,
  description: string,
  begin: (run: FoundRun) => (state: ShownState) => boolean,
): Command {
  return new Command(request)
    .description(description)
    .argument('<run>', 'id, a unique beginning of it, or the path of its directory')
    .option('--runs <folder>', 'folder of the runs (default: MINE_RUNS, or ./runs)')
    .option('--wait <seconds>', 'how long to wait for the run to act on it', '30')
    .action(async (reference: string, options: { readonly runs?: string; readonly wait: string }) => {
      const run = findRun(reference, runsFolder(options.runs));
      refuseUnlessActive(run, request);
      const isFulfilled = begin(run);
      requestControl(run.path, request);
      const after = await waitForAnswer(run.path, request, isFulfilled, secondsOf(options.wait));
      process.stderr.write(`${answerText(after, request)}\n`);
    });
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && seconds >= 0) return seconds;
  throw new Refusal(`--wait ${text} is not a number of seconds.`);
}

function refuseUnlessActive({ record: { id }, state }: FoundRun, request: ControlRequest): void {
  if (isActive(state)) return;
  const resume = state === 'finished' ? '' : `: \`mine run --resume ${id}\` goes on with it`;
  if (state === 'lost') throw new Refusal(`${id} is lost, its process is gone${resume}.`);
  throw new Refusal(`${id} is ${state}, there is nothing to ${request}${resume}.`);
}

function isActive(state: ShownState): boolean {
  return state !== 'lost' && activeStates.has(state);
}

/** Until the trainer has removed the request and is in the state, or the run has ended, or the time is over. */
async function waitForAnswer(
  path: string,
  request: ControlRequest,
  isFulfilled: (state: ShownState) => boolean,
  seconds: number,
): Promise<FoundRun & { readonly answered: boolean }> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const run = openRun(path);
    const answered = !waitingRequests(path).has(request) || request === 'pause';
    if (answered && isFulfilled(run.state)) return { ...run, answered: true };
    if (!isActive(run.state) || performance.now() >= end) return { ...run, answered: false };
    await delay(50);
  }
}

function answerText(run: FoundRun & { readonly answered: boolean }, request: ControlRequest): string {
  const { record, state, path } = run;
  const at = `${record.id} is ${state} at step ${countText(record.step)}`;
  if (!run.answered && isActive(state)) return `${at}; the request to ${request} waits until it looks up.`;
  if (request === 'checkpoint') return `${at}; a checkpoint was written.`;
  const summary = state === 'stopped' || state === 'finished' ? readSummary(path) : null;
  return summary === null ? `${at}.` : `${at}: ${estimateText(summary)}.`;
}
