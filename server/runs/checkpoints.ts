import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointMetadata, type CheckpointMetadata } from '../protocol/checkpoint-metadata';
import type { VariableValue } from '../tensorflow/program';
import { writing } from './disk-failure';
import { partialSuffix, replaceFile } from './replace-file';
import { checkpointName, checkpointStepOf } from './run-paths';
import { decodeSafetensors, decodeSafetensorsMetadata, encodeSafetensors, SafetensorsError } from './safetensors';

export interface Checkpoint {
  readonly file: string;
  readonly step: number;
  readonly variables: Map<string, VariableValue>;
  readonly metadata: CheckpointMetadata;
}

/** What a checkpoint says of itself besides its variables. */
export interface CheckpointDescription {
  readonly run: string;
  readonly experiment: string;
  readonly seconds: number;
  /** The evaluation at this very step by which the best checkpoint is chosen. */
  readonly best?: { readonly metric: string; readonly value: number } | undefined;
}

/** Writes a checkpoint, on the disk when it returns, and returns its file name. @throws WriteFailure */
export function writeCheckpoint(
  folder: string,
  step: number,
  variables: ReadonlyMap<string, VariableValue>,
  description: CheckpointDescription,
): string {
  writing(folder, () => mkdirSync(folder, { recursive: true }));
  const file = checkpointName(step);
  const { run, experiment, seconds, best } = description;
  const metadata = {
    run,
    experiment,
    step: String(step),
    seconds: seconds.toFixed(3),
    savedAt: new Date().toISOString(),
    ...(best && { bestMetric: best.metric, bestValue: String(best.value) }),
  };
  replaceFile(join(folder, file), encodeSafetensors(variables, metadata), { durable: true });
  return file;
}

/** @throws SafetensorsError if it is damaged or not a checkpoint of ours. */
export function readCheckpoint(folder: string, file: string): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(readFileSync(join(folder, file)));
  const parsed = checkpointMetadata.safeParse(metadata);
  if (!parsed.success) throw new SafetensorsError('Its metadata is not that of a checkpoint of MINE.');
  return { file, step: Number(parsed.data.step), variables: tensors, metadata: parsed.data };
}

/**
 * The newest checkpoint that can be read, to resume from. Newer ones that cannot are renamed to `.damaged`, so that they
 * are not counted among the newest kept.
 * @returns the checkpoint, or null where there is none, and a sentence for each one that was set aside.
 */
export function newestReadableCheckpoint(folder: string): { checkpoint: Checkpoint | null; skipped: string[] } {
  const skipped: string[] = [];
  for (const { file } of checkpointFiles(folder).reverse()) {
    try {
      return { checkpoint: readCheckpoint(folder, file), skipped };
    } catch (error) {
      renameSync(join(folder, file), join(folder, `${file}.damaged`));
      skipped.push(
        `checkpoints/${file} cannot be read and was renamed to ${file}.damaged: ${(error as Error).message}`,
      );
    }
  }
  return { checkpoint: null, skipped };
}

/** Removes all but the newest `keep` checkpoints and the best one, and what a killed process left half-written. */
export function pruneCheckpoints(folder: string, keep: number, bestStep: number | null): void {
  const files = checkpointFiles(folder);
  const kept = files.filter(({ step }) => step !== bestStep).slice(-keep);
  for (const entry of files) {
    if (entry.step !== bestStep && !kept.includes(entry)) rmSync(join(folder, entry.file), { force: true });
  }
  for (const file of namesIn(folder)) {
    if (file.endsWith(partialSuffix)) rmSync(join(folder, file), { force: true });
  }
}

/** The best evaluation among the checkpoints that lie there, by the metric's own direction. */
export function bestCheckpoint(
  folder: string,
  best: { readonly metric: string; readonly better: 'higher' | 'lower' },
): { step: number; value: number } | null {
  let found: { step: number; value: number } | null = null;
  for (const { file, step } of checkpointFiles(folder)) {
    const metadata = metadataOf(join(folder, file));
    if (metadata?.bestMetric !== best.metric || metadata.bestValue === undefined) continue;
    const value = Number(metadata.bestValue);
    if (found === null || isBetter(value, found.value, best.better)) found = { step, value };
  }
  return found;
}

export function isBetter(value: number, than: number, better: 'higher' | 'lower'): boolean {
  return better === 'higher' ? value > than : value < than;
}

/** Oldest first. */
function checkpointFiles(folder: string): { file: string; step: number }[] {
  return namesIn(folder)
    .flatMap((file) => {
      const step = checkpointStepOf(file);
      return step === null ? [] : [{ file, step }];
    })
    .sort((a, b) => a.step - b.step);
}

function metadataOf(path: string): CheckpointMetadata | null {
  const file = openSync(path, 'r');
  try {
    const beginning = Buffer.alloc(1 << 20);
    const read = readSync(file, beginning, 0, beginning.length, 0);
    return checkpointMetadata.safeParse(decodeSafetensorsMetadata(beginning.subarray(0, read))).data ?? null;
  } catch {
    // A damaged checkpoint is no candidate; resuming from it would say so.
    return null;
  } finally {
    closeSync(file);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
