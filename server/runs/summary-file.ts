import { existsSync, readFileSync } from 'node:fs';
import type { ReadOut } from '../experiments/experiment';
import { type JsonMetrics, jsonMetricsOf, jsonNumberOf } from '../protocol/json-number';
import type { RunRecord } from '../protocol/run-record';
import { runSummary, summaryFields, type RunSummary } from '../protocol/run-summary';
import { replaceFile } from './replace-file';
import { runPaths } from './run-paths';

/** The summary of a run that has been read out. A metric whose name is a field's keeps out of its way as `metric.NAME`. */
export function summaryOf(run: string, record: RunRecord, readOut: ReadOut): RunSummary {
  const metrics = Object.entries(jsonMetricsOf(readOut.metrics)).map(([name, value]) => [
    summaryFields.has(name) ? `metric.${name}` : name,
    value,
  ]);
  const [low, high] = readOut.interval;
  const warnings = [...readOut.warnings];
  if (record.step < record.iterations) {
    warnings.unshift(`The run was stopped at step ${record.step} of ${record.iterations}.`);
  }
  return {
    estimate: jsonNumberOf(readOut.estimate),
    interval: [jsonNumberOf(low), jsonNumberOf(high)],
    unit: readOut.unit,
    truth: readOut.truth === null ? null : jsonNumberOf(readOut.truth),
    warnings,
    ...(Object.fromEntries(metrics) as JsonMetrics),
    run: { id: record.id, name: record.name, path: run, experiment: record.experiment, seed: record.seed },
    seconds: Math.round(record.seconds * 1000) / 1000,
    iterations: record.step,
    device: record.device?.description ?? 'unknown',
  };
}

export function writeSummary(run: string, summary: RunSummary): void {
  replaceFile(runPaths.summary(run), `${JSON.stringify(summary, null, 2)}\n`, { durable: true });
}

/** Null if the run has not been read out, or the file does not fit this version. */
export function readSummary(run: string): RunSummary | null {
  if (!existsSync(runPaths.summary(run))) return null;
  try {
    return runSummary.parse(JSON.parse(readFileSync(runPaths.summary(run), 'utf8')));
  } catch {
    return null;
  }
}
