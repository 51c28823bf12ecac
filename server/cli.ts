#!/usr/bin/env node
// The command line: assembles the commands and turns what they throw into sentences and exit codes.
import { Command, CommanderError } from 'commander';
import { colours } from './commands/colours';
import {
  createCheckpointCommand,
  createPauseCommand,
  createResumeCommand,
  createStopCommand,
} from './commands/control';
import { createDoctorCommand } from './commands/doctor';
import { createEngineCommand } from './commands/engine';
import { createEstimateCommand } from './commands/estimate';
import { createExportCommand } from './commands/export';
import { createListCommand } from './commands/list';
import { createRunCommand } from './commands/run';
import { createSchemaCommand } from './commands/schema';
import { createShowCommand } from './commands/show';
import { Refusal } from './config/refusal';
import { version } from './version';

const commands = [
  createRunCommand(),
  createEstimateCommand(),
  createListCommand(),
  createShowCommand(),
  createExportCommand(),
  createPauseCommand(),
  createResumeCommand(),
  createStopCommand(),
  createCheckpointCommand(),
  createSchemaCommand(),
  createEngineCommand(),
  createDoctorCommand(),
];

const program = new Command('mine')
  .description('Mutual Information Neural Estimation: train, estimate, and look at runs.')
  .version(version)
  .exitOverride();
for (const command of commands) program.addCommand(command.exitOverride().copyInheritedSettings(program));

/** The reader of a pipe may go before we are done (`mine export ... | head`); that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});
/** The terminal may go while a run is being ended in order. */
process.stderr.on('error', () => undefined);

program.parseAsync().catch((error: unknown) => {
  process.exitCode = exitCodeOf(error);
});

function exitCodeOf(error: unknown): number {
  // Commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Refusal) {
    for (const problem of error.problems) process.stderr.write(`${colours.red('✗')} ${problem}\n`);
    return 2;
  }
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${colours.red('✗')} ${message}\n`);
  if (process.env['MINE_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return 1;
}
