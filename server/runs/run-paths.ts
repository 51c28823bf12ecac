import { join } from 'node:path';

const segmentPattern = /^metrics-(\d{4,})\.arrow$/;
const checkpointPattern = /^step-(\d{9,})\.safetensors$/;

/** Where things lie in a run's directory. */
export const runPaths = {
  record: (run: string) => join(run, 'run.json'),
  config: (run: string) => join(run, 'config.json'),
  events: (run: string) => join(run, 'events.jsonl'),
  summary: (run: string) => join(run, 'summary.json'),
  log: (run: string) => join(run, 'log.txt'),
  samples: (run: string) => join(run, 'samples'),
  checkpoints: (run: string) => join(run, 'checkpoints'),
  control: (run: string) => join(run, 'control'),
  /** Held for the moment in which a process takes the run up. */
  claim: (run: string) => join(run, '.claim.lock'),
};

/** One per process that worked on the run, counted from 1. */
export function segmentName(index: number): string {
  return `metrics-${String(index).padStart(4, '0')}.arrow`;
}

/** Null if the file is no metrics segment. */
export function segmentIndexOf(fileName: string): number | null {
  const match = segmentPattern.exec(fileName);
  return match ? Number(match[1]) : null;
}

export function checkpointName(step: number): string {
  return `step-${String(step).padStart(9, '0')}.safetensors`;
}

/** Null if the file is no checkpoint. */
export function checkpointStepOf(fileName: string): number | null {
  const match = checkpointPattern.exec(fileName);
  return match ? Number(match[1]) : null;
}

/** Name of the samples of a step, without the ending. */
export function samplesName(step: number): string {
  return `step-${String(step).padStart(6, '0')}`;
}
