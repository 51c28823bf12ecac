import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { Refusal } from '../config/refusal';
import { runRecord, type RunRecord } from '../protocol/run-record';
import { WriteFailure } from './disk-failure';
import { replaceFile } from './replace-file';
import { runPaths } from './run-paths';

/** @throws Refusal if there is no readable `run.json`. */
export function readRunRecord(run: string): RunRecord {
  const path = runPaths.record(run);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Refusal(`${run} is not a run directory: its run.json cannot be read (${(error as Error).message}).`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Refusal(`${path} is damaged: it is not JSON. The metrics beside it can still be read.`);
  }
  const parsed = runRecord.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const problem = `"${issue?.path.join('.') ?? ''}" (${issue?.message ?? 'unknown problem'})`;
  throw new Refusal(`${path} does not fit this version of MINE: ${problem}. Another version may have written it.`);
}

/**
 * @param durable for changes of state; the counters in between need not survive a power failure.
 * @throws WriteFailure
 */
export function writeRunRecord(run: string, record: RunRecord, durable: boolean): void {
  const path = runPaths.record(run);
  const content = `${JSON.stringify(record, null, 2)}\n`;
  try {
    replaceFile(path, content, { durable });
  } catch (error) {
    // On a full disk the new content still fits where the old one lies. Not atomic, but the only way to say "failed".
    if (!(error instanceof WriteFailure && error.isDiskFull)) throw error;
    overwrite(path, content);
  }
}

function overwrite(path: string, content: string): void {
  const file = openSync(path, 'r+');
  try {
    writeFileSync(file, content);
    ftruncateSync(file, Buffer.byteLength(content));
  } finally {
    closeSync(file);
  }
}
