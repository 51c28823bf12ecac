import { Command } from 'commander';
import { existsSync, readdirSync } from 'node:fs';
import type { RunEvent } from '../protocol/run-event';
import { readEvents } from '../runs/events-file';
import { findRun, type FoundRun } from '../runs/find-run';
import { readResolvedConfig } from '../runs/resolved-config';
import { runPaths } from '../runs/run-paths';
import { runsFolder } from '../runs/runs-folder';
import { readSummary } from '../runs/summary-file';
import { outputColours } from './colours';
import { runForPrograms } from './list';
import { printJson } from './machine-output';
import { estimateText, headlineText } from './reading-text';
import { countText, durationText } from './text-format';

/** `mine show`: one run. */
export function createShowCommand(): Command {
  return new Command('show')
    .description('show one run')
    .argument('<run>', 'id, a unique beginning of it, or the path of its directory')
    .option('--runs <folder>', 'folder of the runs (default: MINE_RUNS, or ./runs)')
    .option('--json', 'print one object with run, config, summary and events on standard output')
    .action((reference: string, options: { readonly runs?: string; readonly json?: boolean }) => {
      const run = findRun(reference, runsFolder(options.runs));
      const events = readEvents(run.path);
      if (options.json) {
        const { path } = run;
        printJson({ run: runForPrograms(run), config: readResolvedConfig(path), summary: readSummary(path), events });
      } else process.stdout.write(`${runText(run, events)}\n`);
    });
}

function runText({ path, record, state }: FoundRun, events: readonly RunEvent[]): string {
  const summary = readSummary(path);
  const { device, git, versions } = record;
  const facts: [string, string][] = [
    ['state', record.reason === null ? state : `${state}: ${record.reason}`],
    ['experiment', `${record.experiment}, seed ${record.seed}`],
    ['step', `${countText(record.step)} of ${countText(record.iterations)}`],
    ['time', `${durationText(record.seconds)} of work, created ${new Date(record.createdAt).toLocaleString()}`],
    ...(summary ? [['estimate', estimateText(summary)] as [string, string]] : []),
    ['metrics', headlineText(record) || 'none yet'],
    ['device', device?.description ?? 'not known yet'],
    ['versions', `MINE ${versions.mine}, Node ${versions.node}, ${versions.platform}`],
    ...(git ? [['commit', `${git.commit}${git.modified ? ', with changes' : ''}`] as [string, string]] : []),
    ['files', `${path}: ${filesText(path)}`],
  ];
  const warnings = [
    ...events.flatMap((event) => (event.kind === 'warning' ? [`step ${countText(event.step)}: ${event.message}`] : [])),
    ...(summary?.warnings ?? []),
  ];
  return [
    `${outputColours.bold(record.name)}  ${record.id}`,
    ...facts.map(([name, value]) => `  ${name.padEnd(11)} ${value}`),
    ...warnings.map((warning) => outputColours.yellow(`  ⚠ ${warning}`)),
    ...(state === 'lost' ? [`  its process is gone; go on with: mine run --resume ${record.id}`] : []),
  ].join('\n');
}

function filesText(path: string): string {
  const count = (folder: string, ending: string) =>
    existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(ending)).length : 0;
  const pictures = count(runPaths.samples(path), '.png');
  const checkpoints = count(runPaths.checkpoints(path), '.safetensors');
  return `${checkpoints} checkpoint${checkpoints === 1 ? '' : 's'}, ${pictures} picture${pictures === 1 ? '' : 's'}`;
}
