import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { seed as seedSchema } from '../config/common';
import { Refusal } from '../config/refusal';
import { type EstimateReport, type EstimateRequest, estimatorMessage } from '../protocol/estimate-report';
import { findInstalledEngine } from '../tensorflow/engine/installed-engine';
import { EstimateProgress } from './estimate-progress';
import { estimateReportText } from './estimate-text';
import { printJson } from './machine-output';

interface EstimateOptions {
  readonly json?: boolean;
  readonly bits?: boolean;
  readonly seed: number;
}

const interrupted = 130;

/** `mine estimate X Y`: exit code 0 done, 2 bad files or arguments, 1 failed, 130 interrupted. */
export function createEstimateCommand(): Command {
  return new Command('estimate')
    .description('estimate the mutual information of two arrays whose rows belong together')
    .argument('<x>', 'file.npy, file.csv or file.tsv; columns as file.csv:columnA,columnB or by number')
    .argument('<y>', 'the same for Y, row by row with X')
    .option('--json', 'print the estimate as JSON')
    .option('--seed <n>', 'seed of folds, weights and shifts', parseSeed, 1)
    .option('--bits', 'in bits instead of nats')
    .action(async (x: string, y: string, options: EstimateOptions) => {
      await estimate(x, y, options);
    });
}

function parseSeed(text: string): number {
  const seed = seedSchema.safeParse(/^\d+$/.test(text) ? Number(text) : NaN);
  if (!seed.success) throw new InvalidArgumentError('It must be a whole number from 0 to 2147483647.');
  return seed.data;
}

async function estimate(x: string, y: string, { json, bits, seed }: EstimateOptions): Promise<void> {
  const report = await estimateInChild({ x, y, folder: process.cwd(), seed, unit: bits ? 'bits' : 'nats' });
  if (report === 'interrupted') {
    process.exitCode = interrupted;
    return;
  }
  if (json) printJson(report);
  else process.stdout.write(estimateReportText(report));
}

/**
 * @throws Refusal if the files cannot be estimated from; an Error if the estimator failed or was killed, with the end of
 * what it printed.
 */
function estimateInChild(request: EstimateRequest): Promise<EstimateReport | 'interrupted'> {
  const child = forkEstimator(request);
  const progress = new EstimateProgress(request.unit);
  let printed = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-2000);
  });
  let wasInterrupted = false;
  const interrupt = () => {
    wasInterrupted = true;
    child.kill('SIGKILL');
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, interrupt);

  return new Promise<EstimateReport | 'interrupted'>((resolve, reject) => {
    child.on('message', (raw) => {
      const message = estimatorMessage.parse(raw);
      if (message.kind === 'finished') resolve(message.report);
      else if (message.kind === 'refused') reject(new Refusal(...message.problems));
      else if (message.kind === 'failed') reject(new Error(`The estimate failed: ${message.message}`));
      else progress.show(message);
    });
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      if (wasInterrupted) {
        resolve('interrupted');
        return;
      }
      const how = signal === null ? `ended with exit code ${String(exitCode)}` : `was ended by ${signal}`;
      const memory = signal === 'SIGKILL' ? '; the machine may have run out of memory' : '';
      // Settled already, unless it died without a last message.
      reject(new Error(`The estimator ${how}${memory}.${printed === '' ? '' : ` It printed:\n${printed.trimEnd()}`}`));
    });
  }).finally(() => {
    progress.end();
    for (const signal of signals) process.off(signal, interrupt);
  });
}

function forkEstimator(request: EstimateRequest): ChildProcess {
  return fork(path.join(__dirname, 'estimator.js'), [JSON.stringify(request)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // The dynamic linker reads the library path when a process starts.
    env: { TF_CPP_MIN_LOG_LEVEL: '2', ...process.env, ...findInstalledEngine()?.environment },
  });
}
