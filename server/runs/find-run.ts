import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Refusal } from '../config/refusal';
import { activeStates, type RunRecord, type ShownState } from '../protocol/run-record';
import { livenessOf } from './process-identity';
import { runPaths } from './run-paths';
import { readRunRecord } from './run-record-file';

/** A run as a reader finds it. */
export interface FoundRun {
  readonly path: string;
  readonly record: RunRecord;
  readonly state: ShownState;
}

/** A run's directory whose record cannot be read, and why. */
export interface UnreadableRun {
  readonly path: string;
  readonly problem: string;
}

/** `lost` if a process should be working on the run and is gone. A run of another host is taken at its word. */
export function shownStateOf(record: RunRecord): ShownState {
  return activeStates.has(record.state) && livenessOf(record.process) === 'gone' ? 'lost' : record.state;
}

/** @throws Refusal if the directory holds no readable run. */
export function openRun(path: string): FoundRun {
  const record = readRunRecord(path);
  return { path, record, state: shownStateOf(record) };
}

/** The runs in a folder, newest first; none if the folder does not exist. */
export function listRuns(runsFolder: string): { runs: FoundRun[]; unreadable: UnreadableRun[] } {
  const runs: FoundRun[] = [];
  const unreadable: UnreadableRun[] = [];
  for (const path of runDirectoriesIn(runsFolder)) {
    try {
      runs.push(openRun(path));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      unreadable.push({ path, problem: error.message });
    }
  }
  // An id begins with the minute in which the run was created; within it the exact time decides.
  runs.sort((a, b) => b.record.createdAt.localeCompare(a.record.createdAt));
  return { runs, unreadable };
}

/**
 * Finds a run.
 * @param reference the run's id, a beginning of it that no other run has, or the path of its directory.
 * @throws Refusal if there is none, or more than one.
 */
export function findRun(reference: string, runsFolder: string): FoundRun {
  const asPath = resolve(reference);
  if (existsSync(runPaths.record(asPath))) return openRun(asPath);
  const matching = runDirectoriesIn(runsFolder).filter((path) => basename(path).startsWith(reference));
  const exact = matching.find((path) => basename(path) === reference);
  const [only, ...others] = exact === undefined ? matching : [exact];
  if (only === undefined) {
    throw new Refusal(
      `There is no run "${reference}" in ${runsFolder}: \`mine list\` shows the runs, --runs names another folder.`,
    );
  }
  if (others.length > 0) {
    const ids = matching.map((path) => basename(path));
    const shown = ids.length > 5 ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more` : ids.join(', ');
    throw new Refusal(`"${reference}" begins the ids of ${ids.length} runs (${shown}): type more of it.`);
  }
  return openRun(only);
}

function runDirectoriesIn(runsFolder: string): string[] {
  if (!existsSync(runsFolder)) return [];
  return readdirSync(runsFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => join(runsFolder, entry.name))
    .filter((path) => existsSync(runPaths.record(path)));
}
