import { Command } from 'commander';
import { type FoundRun, listRuns } from '../runs/find-run';
import { runsFolder } from '../runs/runs-folder';
import { readSummary } from '../runs/summary-file';
import { printJson } from './machine-output';
import { headlineText, shortEstimateText } from './reading-text';
import { ageText, countText, cut, padded } from './text-format';

const widest = 100;

const symbols: Readonly<Record<FoundRun['state'], string>> = {
  preparing: '◷',
  running: '●',
  paused: '‖',
  stopping: '◌',
  finished: '✓',
  stopped: '■',
  interrupted: '■',
  failed: '✗',
  lost: '✗',
};

/** `mine list`: the runs of a folder, newest first. */
export function createListCommand(): Command {
  return new Command('list')
    .description('list the runs, newest first')
    .option('--runs <folder>', 'folder of the runs (default: MINE_RUNS, or ./runs)')
    .option('--json', 'print an array of runs on standard output')
    .action((options: { readonly runs?: string; readonly json?: boolean }) => {
      const folder = runsFolder(options.runs);
      const { runs, unreadable } = listRuns(folder);
      if (options.json) printJson(runs.map(runForPrograms));
      else if (runs.length > 0) process.stdout.write(`${runTable(runs, new Date())}\n`);
      else process.stderr.write(`No runs in ${folder}: start one with \`mine run NAME.mine.json\`.\n`);
      for (const { problem } of unreadable) process.stderr.write(`${problem}\n`);
    });
}

/** What `mine list --json` says of a run. */
export function runForPrograms({ path, record, state }: FoundRun) {
  const summary = readSummary(path);
  return {
    ...record,
    state,
    path,
    estimate: summary?.estimate ?? null,
    interval: summary?.interval ?? null,
    unit: summary?.unit ?? null,
    truth: summary?.truth ?? null,
  };
}

/** A table of at most 100 columns; names and readings are shortened to fit. */
export function runTable(runs: readonly FoundRun[], now: Date): string {
  const rows = runs.map((run) => {
    const { record, state } = run;
    return {
      state: `${symbols[state]} ${state}`,
      id: record.id,
      step: `${countText(record.step)}/${countText(record.iterations)}`,
      age: ageText(new Date(record.endedAt ?? record.updatedAt), now),
      name: record.name,
      reading: readingOf(run),
    };
  });
  const width = (column: keyof (typeof rows)[number]) => Math.max(...rows.map((row) => Array.from(row[column]).length));
  const fixed = (['state', 'id', 'step', 'age'] as const).map((column) => width(column));
  const gaps = 5 * 2;
  const free = widest - gaps - fixed.reduce((sum, one) => sum + one, 0);
  // The name gets what the reading leaves, and at least a third.
  const name = Math.max(
    Math.min(width('name'), free - width('reading')),
    Math.min(width('name'), Math.floor(free / 3)),
  );
  return rows
    .map((row) =>
      [
        padded(row.state, fixed[0]!),
        padded(row.id, fixed[1]!),
        padded(cut(row.name, name), name),
        padded(row.step, fixed[2]!),
        padded(row.age, fixed[3]!),
        cut(row.reading, free - name),
      ]
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function readingOf({ path, record, state }: FoundRun): string {
  if (state === 'failed' && record.reason !== null) return record.reason;
  const summary = readSummary(path);
  return summary === null ? headlineText(record) : shortEstimateText(summary);
}
