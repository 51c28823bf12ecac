import { Command, Option } from 'commander';
import pc from 'picocolors';
import { engineStatus, type EngineStatus, removeEngine } from '../tensorflow/engine/engine-status';
import { EngineInstallError, installEngine } from '../tensorflow/engine/install-engine';
import { type EngineDevice, engineDevices } from '../tensorflow/engine/installed-engine';
import { UnusablePythonError } from '../tensorflow/engine/python-environment';
import { EngineProgressLine } from './engine-progress';

interface EngineOptions {
  device?: EngineDevice;
  python?: string;
  json?: boolean;
}

/** `mine engine install|status|remove`: exit code 0 done, 1 failed, 130 interrupted. */
export function createEngineCommand(): Command {
  const device = (): Option => new Option('--device <device>', 'processor or NVIDIA card').choices([...engineDevices]);
  const engine = new Command('engine').description('the native TensorFlow engine: install, look at, remove');
  engine
    .command('install')
    .description('install the engine for this user (linked to a TensorFlow in Python, or downloaded with pip)')
    .addOption(device().default('cpu'))
    .option('--python <path>', 'Python interpreter whose TensorFlow or pip is used')
    .option('--json', 'print the installed engine as JSON')
    .action(install);
  engine
    .command('status')
    .description('show the installed engines')
    .addOption(device())
    .option('--json', 'print the engines as JSON')
    .action(printStatus);
  engine
    .command('remove')
    .description('remove the engines and unfinished downloads')
    .addOption(device())
    .option('--json', 'print the removed folders as JSON')
    .action(remove);
  return engine;
}

async function install({ device = 'cpu', python, json }: EngineOptions): Promise<void> {
  const progress = new EngineProgressLine();
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort(new Error('interrupted'));
  };
  // Stays until everything is cleared away: a second Ctrl-C must not leave pip running.
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const engine = await installEngine({
      device,
      python,
      signal: interruption.signal,
      onProgress: (each) => {
        progress.show(each);
      },
    });
    progress.end();
    if (json) process.stdout.write(`${JSON.stringify(engine)}\n`);
    else
      process.stderr.write(
        `TensorFlow ${engine.tensorflowVersion} for ${engine.device} is installed in ${engine.folder}\n`,
      );
  } catch (error) {
    progress.end();
    if (interruption.signal.aborted) {
      process.stderr.write('Interrupted: nothing was installed; finished downloads are kept for the next time.\n');
      process.exitCode = 130;
      return;
    }
    if (!(error instanceof EngineInstallError || error instanceof UnusablePythonError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

function printStatus({ device, json }: EngineOptions): void {
  const status = engineStatus(device);
  if (status.some(({ state }) => state === 'broken')) process.exitCode = 1;
  if (json) {
    process.stdout.write(`${JSON.stringify(status)}\n`);
    return;
  }
  if (status.length === 0)
    process.stdout.write('No native engine is installed. Install it with `mine engine install`.\n');
  for (const each of status) process.stdout.write(`${describeStatus(each)}\n`);
}

function describeStatus(status: EngineStatus): string {
  if (status.state === 'broken') return pc.red(status.problem);
  const { engine, manifest } = status;
  const from = { wheel: 'from the wheel', python: 'linked to', stock: 'of tfjs-node in' }[engine.source];
  return [
    `${pc.bold(engine.device)}  TensorFlow ${engine.tensorflowVersion} ${from} ${manifest.origin}`,
    `  folder   ${engine.folder}`,
    `  binding  ${manifest.bindingSource}, tfjs-node ${manifest.bindingVersion}, tried on Node ${manifest.nodeVersion}`,
    `  device   ${manifest.devices.join('; ')}`,
    `  since    ${manifest.installedAt}`,
  ].join('\n');
}

async function remove({ device, json }: EngineOptions): Promise<void> {
  const folders = await removeEngine(device);
  if (json) process.stdout.write(`${JSON.stringify(folders)}\n`);
  else if (folders.length === 0) process.stderr.write('No native engine is installed.\n');
  for (const folder of json ? [] : folders) process.stderr.write(`Removed ${folder}\n`);
}
