import { Command, Option } from 'commander';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { Refusal } from '../config/refusal';
import { jsonNumberOf } from '../protocol/json-number';
import { WriteFailure, writing } from '../runs/disk-failure';
import { readEvents } from '../runs/events-file';
import { findRun, type FoundRun } from '../runs/find-run';
import { type MetricColumn, metricBatches, metricNamesOf, readMetrics } from '../runs/metrics-reader';
import { readResolvedConfig } from '../runs/resolved-config';
import { runsFolder } from '../runs/runs-folder';
import { readSummary } from '../runs/summary-file';
import { runForPrograms } from './list';

interface ExportOptions {
  readonly format: 'csv' | 'json';
  readonly output?: string;
  readonly runs?: string;
}

/**
 * `mine export`: the metrics of a run for other programs. CSV: a row per step; an empty field is a step that was not
 * evaluated, NaN and Infinity are values. JSON: the run, its configuration, summary and events, and the metrics as
 * columns, in which null is a step that was not evaluated and NaN and infinities are strings.
 */
export function createExportCommand(): Command {
  return new Command('export')
    .description('write the metrics of a run for other programs')
    .argument('<run>', 'id, a unique beginning of it, or the path of its directory')
    .addOption(new Option('--format <format>', 'form of the output').choices(['csv', 'json']).makeOptionMandatory())
    .option('--output <file>', 'file to write (default: standard output)')
    .option('--runs <folder>', 'folder of the runs (default: MINE_RUNS, or ./runs)')
    .action((reference: string, options: ExportOptions) => {
      const run = findRun(reference, runsFolder(options.runs));
      const parts = options.format === 'csv' ? csvOf(run) : jsonOf(run);
      if (options.output === undefined) {
        for (const part of parts) process.stdout.write(part);
      } else writeFile(options.output, parts);
    });
}

function writeFile(path: string, parts: Iterable<string>): void {
  try {
    writing(path, () => {
      const file = openSync(path, 'w');
      try {
        for (const part of parts) writeFileSync(file, part);
      } finally {
        closeSync(file);
      }
    });
  } catch (error) {
    throw error instanceof WriteFailure ? new Refusal(error.message) : error;
  }
}

function* csvOf({ path }: FoundRun): Generator<string> {
  const names = metricNamesOf(path);
  yield `${['step', 'time', ...names].map(csvField).join(',')}\n`;
  for (const { step, time, metrics } of metricBatches(path)) {
    const columns = names.map((name) => metrics.get(name)!);
    let lines = '';
    step.forEach((value, row) => {
      lines += `${[value, time[row]!, ...columns.map((column) => csvValue(column, row))].join(',')}\n`;
    });
    yield lines;
  }
}

function csvValue({ values, present }: MetricColumn, row: number): string {
  return present[row] ? String(values[row]) : '';
}

/** RFC 4180: quoted where it holds a comma, a quote or a line break. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function* jsonOf(run: FoundRun): Generator<string> {
  const { step, time, metrics } = readMetrics(run.path);
  const columns = [...metrics].map(([name, { values, present }]) => [
    name,
    Array.from(values, (value, row) => (present[row] ? jsonNumberOf(value) : null)),
  ]);
  yield `${JSON.stringify({
    run: runForPrograms(run),
    config: readResolvedConfig(run.path),
    summary: readSummary(run.path),
    events: readEvents(run.path),
    metrics: { step: [...step], time: [...time], ...(Object.fromEntries(columns) as Record<string, unknown>) },
  })}\n`;
}
