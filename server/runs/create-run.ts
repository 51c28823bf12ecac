import { randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ExperimentConfig } from '../config/experiment-config';
import { Refusal } from '../config/refusal';
import type { RunRecord } from '../protocol/run-record';
import { version } from '../version';
import { WriteFailure, writing } from './disk-failure';
import { gitStateOf } from './git-state';
import { currentProcess } from './process-identity';
import { replaceFile } from './replace-file';
import { runPaths } from './run-paths';
import { writeRunRecord } from './run-record-file';

export interface NewRun {
  readonly runsFolder: string;
  readonly config: ExperimentConfig;
  /** The file that the configuration came from, absolute. */
  readonly configFile: string | null;
  /** Where relative data paths of the configuration start, absolute. */
  readonly folder: string;
}

/**
 * Creates the directory of a run that this process is about to start, and returns its path.
 * @throws Refusal if it cannot be written.
 */
export function createRun({ runsFolder, config, configFile, folder }: NewRun): string {
  try {
    const { id, path } = writing(runsFolder, () => newDirectory(runsFolder));
    for (const part of [runPaths.samples, runPaths.checkpoints, runPaths.control]) {
      writing(part(path), () => {
        mkdirSync(part(path));
      });
    }
    replaceFile(runPaths.config(path), `${JSON.stringify(config, null, 2)}\n`, { durable: true });
    const now = new Date().toISOString();
    const record: RunRecord = {
      format: 1,
      id,
      name: config.name,
      experiment: config.experiment,
      state: 'preparing',
      reason: null,
      process: currentProcess(),
      seed: config.seed,
      iterations: config.training.iterations,
      step: 0,
      seconds: 0,
      headline: [],
      latest: {},
      folder,
      configFile,
      versions: { mine: version, node: process.version, platform: `${process.platform}-${process.arch}` },
      device: null,
      git: gitStateOf(folder),
      createdAt: now,
      startedAt: null,
      updatedAt: now,
      endedAt: null,
    };
    writeRunRecord(path, record, true);
    return path;
  } catch (error) {
    throw error instanceof WriteFailure ? new Refusal(error.message) : error;
  }
}

function newDirectory(runsFolder: string): { id: string; path: string } {
  mkdirSync(runsFolder, { recursive: true });
  for (;;) {
    const id = newRunId(new Date());
    const path = join(runsFolder, id);
    try {
      mkdirSync(path);
      return { id, path };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Local date and minute and four random characters: `2026-11-24-1412-k3f9`. Sorts by time. */
export function newRunId(now: Date): string {
  // Without letters and digits that look alike.
  const alphabet = 'abcdefghjkmnpqrstvwxyz23456789';
  const two = (part: number) => String(part).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const suffix = Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]!).join('');
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}-${suffix}`;
}
