// Times our steps beside those of JAX and PyTorch; see docs/performance.md. `npm run benchmark -- --help`.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { format, resolveConfig } from 'prettier';
import { runChild } from '../../server/tensorflow/engine/run-child';
import { contestantCommands, contestants } from './contestants';
import { describeMachine } from './machine';
import { resultRow, resultTable } from './result-rows';
import { timeStep } from './rounds';
import { steps } from './steps';

interface Options {
  readonly only: readonly string[];
  readonly contestants: readonly string[];
  readonly rounds: number;
  readonly quick?: true;
  readonly json?: string;
  readonly document?: string;
  readonly checkPeers?: true;
}

const BUSY = 0.5;
const START = '<!-- benchmark:start -->';
const END = '<!-- benchmark:end -->';

/** @param sources folder of this file in the repository. */
export async function runBenchmark(sources: string, parameters: readonly string[]): Promise<void> {
  const command = new Command('benchmark')
    .description('time our training steps beside those of JAX and PyTorch, taking turns')
    .option('--only <steps>', `of: ${Object.keys(steps).join(', ')}`, names(Object.keys(steps)), Object.keys(steps))
    .option(
      '--contestants <keys>',
      `of: ${contestants.map(({ key }) => key).join(', ')}`,
      names(contestants.map(({ key }) => key)),
      contestants.map(({ key }) => key),
    )
    .option('--rounds <count>', 'rounds in which every contestant has one turn', wholeNumber, 7)
    .option('--quick', '2 short rounds: does it run? The figures say little')
    .option('--json <file>', 'also write the rows to a file')
    .option('--document <file>', `also put the tables between the ${START} and ${END} of a Markdown file`)
    .option('--check-peers', 'only check that JAX and PyTorch compute the same')
    .action(async (options: Options) => {
      await measure(sources, options);
    });
  await command.parseAsync(parameters, { from: 'user' });
}

async function measure(sources: string, options: Options): Promise<void> {
  tell('preparing the Python environment of the peers (once: some minutes)');
  const { python, commands } = await contestantCommands(sources);
  if (options.checkPeers) {
    const { stdout } = await runChild(python, ['-B', path.join(sources, 'peers', 'check_agreement.py')]);
    process.stdout.write(stdout);
    return;
  }
  const machine = describeMachine();
  if (machine.loadBefore !== null && machine.loadBefore > BUSY)
    tell(`the machine is busy (load ${machine.loadBefore.toFixed(1)}): trust the ratios more than the times\n`);
  const rounds = options.quick ? 2 : options.rounds;
  const chosen = contestants.filter(({ key }) => options.contestants.includes(key));
  const rows = [];
  const tables = [];
  let versions: Record<string, string> = { node: process.version };
  for (const step of options.only) {
    const result = await timeStep(step, chosen, commands, {
      rounds,
      secondsPerTurn: options.quick ? 0.2 : 0.8,
      onProgress: tell,
    });
    versions = { ...versions, ...result.versions };
    const row = resultRow(step, steps[step]!.title, chosen, result);
    rows.push(row);
    const table = resultTable(row, chosen);
    tables.push(table);
    tell('');
    process.stdout.write(`${table}\n`);
  }
  const { processor, cores, memoryGiB, system } = machine;
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const setting = `${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}; ${software.join(', ')}; ${rounds} rounds.`;
  process.stdout.write(`${setting}\n`);
  if (options.document !== undefined) {
    const load = machine.loadBefore === null ? '' : ` Load average before: ${machine.loadBefore.toFixed(2)}.`;
    await putIntoDocument(
      options.document,
      `${new Date().toISOString().slice(0, 10)}: ${setting}${load}\n\n${tables.join('\n')}`,
    );
  }
  if (options.json !== undefined)
    await writeFile(options.json, `${JSON.stringify({ machine, versions, rounds, rows }, null, 2)}\n`);
  if (rows.some((row) => typeof row.ours !== 'number' && chosen.some(({ key }) => key === 'ours')))
    process.exitCode = 1;
}

/** @throws if the document has no place for it. */
async function putIntoDocument(file: string, text: string): Promise<void> {
  const content = await readFile(file, 'utf8');
  const [before, rest] = content.split(START);
  const [, after] = (rest ?? '').split(END);
  if (before === undefined || after === undefined) throw new Error(`${file} has no ${START} followed by ${END}`);
  const formatted = await format(`${before}${START}\n\n${text}\n\n${END}${after}`, {
    ...(await resolveConfig(file)),
    parser: 'markdown',
  });
  await writeFile(file, formatted);
}

function names(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const given = text.split(',').map((name) => name.trim());
    const unknown = given.filter((name) => !known.includes(name));
    if (unknown.length > 0)
      throw new InvalidArgumentError(`There is no ${unknown.join(', ')}; there are: ${known.join(', ')}.`);
    return given;
  };
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}

/** On standard error: one line that is overwritten, or plain lines where it is not a terminal. */
function tell(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
  else if (text !== '') process.stderr.write(`${text.trimEnd()}\n`);
}
