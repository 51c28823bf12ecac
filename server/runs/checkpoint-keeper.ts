import type { Training } from '../experiments/experiment';
import type { VariableValue } from '../tensorflow/program';
import { bestCheckpoint, isBetter, pruneCheckpoints, writeCheckpoint } from './checkpoints';
import type { RunJournal } from './run-journal';
import { runPaths } from './run-paths';

interface Evaluated {
  readonly step: number;
  readonly value: number;
}

/**
 * Writes checkpoints at intervals and keeps the newest and the best. The best is copied in memory when it is evaluated
 * and written with the next checkpoint, so that a run that improves at every evaluation does not write at every one.
 */
export class CheckpointKeeper {
  private readonly folder: string;
  private best: Evaluated | null;
  private unwrittenBest: (Evaluated & { readonly variables: Map<string, VariableValue> }) | null = null;
  private writtenAt = performance.now();
  private writtenStep: number | null;

  constructor(
    private readonly training: Training,
    private readonly journal: RunJournal,
    private readonly settings: { readonly everySeconds: number; readonly keep: number },
    resumedFrom: number | null,
  ) {
    this.folder = runPaths.checkpoints(journal.run);
    this.best = training.best ? bestCheckpoint(this.folder, training.best) : null;
    this.writtenStep = resumedFrom;
  }

  get isDue(): boolean {
    return performance.now() - this.writtenAt >= this.settings.everySeconds * 1000;
  }

  /** Notes an evaluation, and copies the variables if it is the best so far. */
  consider(step: number, metrics: Readonly<Record<string, number>>): void {
    const { best } = this.training;
    const value = best && metrics[best.metric];
    if (value === undefined || !Number.isFinite(value)) return;
    if (this.best !== null && !isBetter(value, this.best.value, best!.better)) return;
    this.best = { step, value };
    this.unwrittenBest = { step, value, variables: this.training.pull() };
  }

  /** Writes a checkpoint of now, unless there is one of this step already. */
  write(step: number, seconds: number): void {
    this.writtenAt = performance.now();
    const best = this.unwrittenBest;
    this.unwrittenBest = null;
    if (best !== null) this.writeOne(best.step, best.variables, seconds, best.value);
    if (best?.step !== step && this.writtenStep !== step) this.writeOne(step, this.training.pull(), seconds);
    this.writtenStep = step;
    pruneCheckpoints(this.folder, this.settings.keep, this.best?.step ?? null);
  }

  private writeOne(step: number, variables: Map<string, VariableValue>, seconds: number, bestValue?: number): void {
    const { id, experiment } = this.journal.record;
    const metric = this.training.best?.metric;
    const best = metric !== undefined && bestValue !== undefined ? { metric, value: bestValue } : undefined;
    const file = writeCheckpoint(this.folder, step, variables, { run: id, experiment, seconds, best });
    this.journal.add({ kind: 'checkpoint', step, file: `checkpoints/${file}`, best: best !== undefined });
  }
}
