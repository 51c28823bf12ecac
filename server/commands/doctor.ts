import { Command } from 'commander';
import pc from 'picocolors';
import { examineMachine, type MachineCheck } from '../tensorflow/engine/machine-checks';
import { UnusablePythonError } from '../tensorflow/engine/python-environment';

/** `mine doctor`: exit code 0 when nothing is wrong, 1 when something needs the user. */
export function createDoctorCommand(): Command {
  return new Command('doctor')
    .description('examine this machine and the native engine, and say what to do about each problem')
    .option('--python <path>', 'Python interpreter to look at')
    .option('--json', 'print the examination as JSON')
    .action(doctor);
}

async function doctor({ python, json }: { python?: string; json?: boolean }): Promise<void> {
  try {
    const { checks, engine, probe } = await examineMachine(python);
    const problems = checks.filter(({ state }) => state === 'problem').length;
    if (problems > 0) process.exitCode = 1;
    if (json) {
      process.stdout.write(`${JSON.stringify({ healthy: problems === 0, checks, engine, probe })}\n`);
      return;
    }
    const width = Math.max(...checks.map(({ name }) => name.length));
    for (const check of checks) process.stdout.write(describeCheck(check, width));
    process.stdout.write(problems === 0 ? '\nEverything is in order.\n' : `\n${problems} to be put right.\n`);
  } catch (error) {
    if (!(error instanceof UnusablePythonError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

function describeCheck({ name, found, state, remedy }: MachineCheck, width: number): string {
  const mark = { good: pc.green('ok  '), note: pc.yellow('note'), problem: pc.red('BAD ') }[state];
  const todo = remedy ? `${' '.repeat(width + 8)}-> ${remedy}\n` : '';
  return `${mark}  ${name.padEnd(width)}  ${found}\n${todo}`;
}
