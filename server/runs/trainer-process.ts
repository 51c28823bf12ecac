import type { ExecutionConfig } from '../config/common';
import type { ExperimentConfig } from '../config/experiment-config';
import { Refusal } from '../config/refusal';
import type { ExperimentContext, Training } from '../experiments/experiment';
import type { RunDevice } from '../protocol/run-record';
import { trainerOrder, type TrainerMessage } from '../protocol/trainer-message';
import { newestReadableCheckpoint, type Checkpoint } from './checkpoints';
import { claimRun } from './claim-run';
import { endTornEvents } from './events-file';
import { endTornSegments, nextSegmentIndex } from './metrics-reader';
import { readResolvedConfig } from './resolved-config';
import { RunJournal } from './run-journal';
import { runPaths, segmentName } from './run-paths';
import { type Ending, type Interruption, removeOldRequests, TrainingLoop } from './training-loop';

/** What a trainer trains with. */
export interface TrainerParts {
  /** `notice`: one sentence if it is not the native engine that was loaded, else null. */
  readonly loadEngine: (
    execution: ExecutionConfig,
  ) => Promise<{ device: Omit<RunDevice, 'compiled'>; notice: string | null }>;
  readonly prepare: (config: ExperimentConfig, context: ExperimentContext) => Promise<Training>;
}

export type TrainerPurpose = 'start' | 'resume';

/** Exit codes of a trainer and of `mine run`. */
export const exitCodes = { finished: 0, stopped: 0, failed: 1, refused: 2, interrupted: 130 } as const;

/**
 * The life of one trainer process: takes the run up, trains, and writes what becomes of it. Never throws: a failure ends
 * as the run's state where the disk lets it, as a message to the parent, and in the log.
 * @returns the process's exit code.
 */
export async function trainRun(run: string, purpose: TrainerPurpose, parts: TrainerParts): Promise<number> {
  const interruption = listenForInterruption();
  let journal: RunJournal;
  try {
    journal = new RunJournal(run, await claimRun(run, purpose), tellParent);
  } catch (error) {
    log(error);
    tellParent({ kind: 'refused', message: error instanceof Refusal ? error.message : failureSentence(error) });
    return exitCodes.refused;
  }
  try {
    const { state, reason } = await takeUp(journal, purpose, parts, interruption);
    tellParent({ kind: 'ended', step: journal.record.step, state, reason });
    return state === 'interrupted' ? exitCodes.interrupted : exitCodes.finished;
  } catch (error) {
    log(error);
    const reason = failureSentence(error);
    try {
      journal.setState('failed', reason);
    } catch (second) {
      // The disk that made the run fail takes no state either: readers will see the run as lost.
      log(second);
    }
    tellParent({ kind: 'ended', step: journal.record.step, state: 'failed', reason });
    return exitCodes.failed;
  }
}

async function takeUp(
  journal: RunJournal,
  purpose: TrainerPurpose,
  parts: TrainerParts,
  interruption: Interruption,
): Promise<Ending> {
  const { run } = journal;
  const config = readResolvedConfig(run);
  let checkpoint: Checkpoint | null = null;
  let skipped: readonly string[] = [];
  if (purpose === 'resume') {
    endTornSegments(run);
    endTornEvents(run);
    removeOldRequests(run);
    ({ checkpoint, skipped } = newestReadableCheckpoint(runPaths.checkpoints(run)));
  }
  journal.setState('preparing');
  const onPreparing = (stage: string) => {
    tellParent({ kind: 'preparing', stage });
  };
  onPreparing('loading TensorFlow');
  const { device: loaded, notice } = await parts.loadEngine(config.execution);
  const training = await parts.prepare(config, { folder: journal.record.folder, onPreparing });
  const device = { ...loaded, compiled: training.mode };
  if (checkpoint) training.push(checkpoint.variables);

  const step = checkpoint?.step ?? 0;
  const segment = segmentName(nextSegmentIndex(run));
  const seconds = Number(checkpoint?.metadata.seconds ?? 0);
  const headline = [...training.headline];
  const startedAt = journal.record.startedAt ?? new Date().toISOString();
  journal.update({ device, headline, startedAt, step, seconds });
  if (purpose === 'resume') {
    journal.add({ kind: 'resumed', step, checkpoint: checkpoint && `checkpoints/${checkpoint.file}`, segment });
    for (const sentence of skipped) journal.warn(step, sentence);
  }
  if (notice !== null) journal.warn(step, notice);
  tellParent({ kind: 'prepared', step, iterations: training.iterations, device, headline });
  try {
    return await new TrainingLoop(training, journal, config, { step, seconds, segment }, interruption).run();
  } finally {
    training.dispose();
  }
}

/** Ctrl-C reaches a trainer as its parent's order, so that the parent can tell the user what happens meanwhile. */
function listenForInterruption(): Interruption {
  const interruption: Interruption = { reason: null };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interruption.reason ??= `Interrupted by ${signal}.`;
    });
  }
  process.on('disconnect', () => {
    interruption.reason ??= 'Interrupted: the process that started the run has ended.';
  });
  process.on('message', (message) => {
    const order = trainerOrder.safeParse(message);
    if (order.success) interruption.reason ??= order.data.reason;
  });
  return interruption;
}

function tellParent(message: TrainerMessage): void {
  if (!process.connected) return;
  // A parent that has just ended is no reason to stop: `disconnect` says so as well.
  process.send?.(message, undefined, undefined, () => undefined);
}

function failureSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0]!;
}

function log(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
