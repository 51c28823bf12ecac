import { Command } from 'commander';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { loadConfig } from '../config/load';
import type { ExperimentConfig } from '../config/experiment-config';
import { Refusal } from '../config/refusal';
import { refuseUnlessResumable } from '../runs/claim-run';
import { createRun } from '../runs/create-run';
import { findRun } from '../runs/find-run';
import { forkTrainer } from '../runs/fork-trainer';
import { readResolvedConfig } from '../runs/resolved-config';
import { runPaths } from '../runs/run-paths';
import { readRunRecord } from '../runs/run-record-file';
import { runsFolder } from '../runs/runs-folder';
import { readSummary } from '../runs/summary-file';
import { exitCodes, type TrainerPurpose } from '../runs/trainer-process';
import { findInstalledEngine } from '../tensorflow/engine/installed-engine';
import { colours } from './colours';
import { followTrainer, type TrainerOutcome } from './follow-trainer';
import { ProgressDisplay } from './progress-display';
import { estimateText } from './reading-text';
import { durationText } from './text-format';

interface RunOptions {
  readonly set: readonly string[];
  readonly runs?: string;
  readonly resume?: string;
  readonly json?: boolean;
}

/** `mine run`: trains in the foreground. */
export function createRunCommand(): Command {
  return new Command('run')
    .description('train an experiment in the foreground')
    .argument('[config]', 'configuration file (NAME.mine.json)')
    .option('--set <path=value>', 'override one field, e.g. data.correlation=0.7; may be repeated', collected, [])
    .option('--runs <folder>', 'folder of the runs (default: MINE_RUNS, or ./runs)')
    .option('--resume <run>', 'go on with a run that ended early, from its newest checkpoint')
    .option('--json', 'print summary.json on standard output')
    .action(async (config: string | undefined, options: RunOptions) => {
      process.exitCode = await run(config, options);
    });
}

function collected(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

async function run(configFile: string | undefined, options: RunOptions): Promise<number> {
  const folder = runsFolder(options.runs);
  if (options.resume === undefined) {
    if (configFile === undefined) throw new Refusal('Which experiment? Give a configuration file, or --resume RUN.');
    const { config, file, folder: dataFolder } = loadConfig(configFile, options.set);
    const libraries = engineEnvironment(config);
    const path = createRun({ runsFolder: folder, config, configFile: file, folder: dataFolder });
    return follow(path, 'start', libraries, options);
  }
  if (configFile !== undefined || options.set.length > 0) {
    throw new Refusal(
      '--resume goes on with the configuration in the run: leave out the configuration file and --set.',
    );
  }
  const { path, record } = findRun(options.resume, folder);
  refuseUnlessResumable(path, record);
  return follow(path, 'resume', engineEnvironment(readResolvedConfig(path)), options);
}

/** Variables that must be there before the trainer starts, since the dynamic linker reads them then. */
function engineEnvironment({ execution: { device } }: ExperimentConfig): Readonly<Record<string, string>> {
  if (device === 'portable') return {};
  // The engine for CUDA computes on the CPU as well.
  const engine = device === 'cpu' ? (findInstalledEngine('cpu') ?? findInstalledEngine()) : findInstalledEngine();
  return engine?.environment ?? {};
}

async function follow(
  path: string,
  purpose: TrainerPurpose,
  libraries: Readonly<Record<string, string>>,
  options: RunOptions,
): Promise<number> {
  const { id, name } = readRunRecord(path);
  const display = new ProgressDisplay({ id, name });
  let outcome: TrainerOutcome;
  try {
    outcome = await followTrainer(forkTrainer(path, purpose, libraries), display);
  } finally {
    display.close();
  }
  return report(path, outcome, options);
}

function report(path: string, outcome: TrainerOutcome, options: RunOptions): number {
  switch (outcome.kind) {
    case 'refused':
      throw new Refusal(outcome.message);
    case 'killed':
      say(colours.red(' ✗ ended at once'), resumeHint(path));
      return exitCodes.interrupted;
    case 'died': {
      const how = outcome.signal === null ? `with exit code ${String(outcome.exitCode)}` : `by ${outcome.signal}`;
      const memory = outcome.signal === 'SIGKILL' ? '; the machine may have run out of memory' : '';
      say(
        colours.red(` ✗ the trainer was ended ${how}${memory}`),
        `   log: ${shown(runPaths.log(path))}`,
        resumeHint(path),
      );
      return exitCodes.failed;
    }
    case 'ended':
      return reportEnd(path, outcome, options);
  }
}

function reportEnd(
  path: string,
  { state, reason }: Extract<TrainerOutcome, { kind: 'ended' }>,
  options: RunOptions,
): number {
  const { seconds } = readRunRecord(path);
  switch (state) {
    case 'finished':
    case 'stopped': {
      const summary = readSummary(path);
      if (summary === null) throw new Error(`${runPaths.summary(path)} cannot be read.`);
      say(
        colours.green(` ✓ ${state} in ${durationText(seconds)}`) + ` · ${estimateText(summary)}`,
        ...summary.warnings.map((warning) => colours.yellow(` ⚠ ${warning}`)),
        `   ${[runPaths.summary(path), ...newestPicture(path)].map(shown).join(' · ')}`,
      );
      if (options.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
      return exitCodes.finished;
    }
    case 'interrupted':
      say(colours.yellow(` ■ ${reason ?? 'Interrupted.'}`), resumeHint(path));
      return exitCodes.interrupted;
    case 'failed':
    case 'preparing':
    case 'running':
    case 'paused':
    case 'stopping':
      say(
        colours.red(` ✗ ${state}: ${reason ?? 'no reason was given'}`),
        `   log: ${shown(runPaths.log(path))}`,
        resumeHint(path),
      );
      return exitCodes.failed;
  }
}

function resumeHint(path: string): string {
  return `   go on from the newest checkpoint: mine run --resume ${shown(path)}`;
}

function newestPicture(path: string): string[] {
  const folder = runPaths.samples(path);
  const pictures = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.png')) : [];
  return pictures
    .sort()
    .slice(-1)
    .map((file) => join(folder, file));
}

/** A path as the user would type it here. */
function shown(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

function say(...lines: readonly string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`);
}
