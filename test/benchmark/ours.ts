// Our side of the benchmark as a process: `ours.js auto|graph|eager|stock`. Speaks as `peers/serve.py` does, one step a process.
import { createInterface } from 'node:readline';
import { availableParallelism } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { loadTensorFlow } from '../../server/tensorflow/load-tensorflow';
import { type Greeting, turnRequest, type TurnReply, type TurnRequest } from './contestant-messages';
import { dcganDiscriminator } from './dcgan-discriminator';
import { productTraining, type RunSteps } from './product-training';
import { stepNamed } from './steps';
import { stockStep } from './stock-steps';

const mode = z.enum(['auto', 'graph', 'eager', 'stock']).parse(process.argv[2]);
const WARM_UP_STEPS = 3;

function prepared({ step, variant }: TurnRequest): RunSteps | Promise<RunSteps> {
  const specification = stepNamed(step);
  if (mode === 'stock') return stockStep(specification);
  const singleCalls = variant === 'single-call';
  return specification.kind === 'dcgan-discriminator'
    ? dcganDiscriminator(specification, mode, singleCalls)
    : productTraining(specification, mode, singleCalls);
}

async function answer(request: TurnRequest, runs: Map<string, RunSteps>): Promise<TurnReply> {
  const name = `${request.step}, ${request.variant}`;
  let run = runs.get(name);
  if (run === undefined) {
    run = await prepared(request);
    runs.set(name, run);
    await run(WARM_UP_STEPS);
  }
  await run(Math.max(1, Math.floor(request.iterations / 5)));
  const millisecondsPerStep: number[] = [];
  let metrics: Record<string, number> = {};
  const processorStart = process.cpuUsage();
  for (let group = 0; group < request.groups; group++) {
    const start = performance.now();
    metrics = await run(request.iterations);
    millisecondsPerStep.push((performance.now() - start) / request.iterations);
  }
  const { user, system } = process.cpuUsage(processorStart);
  const processorMillisecondsPerStep = (user + system) / 1000 / (request.iterations * request.groups);
  return { millisecondsPerStep, processorMillisecondsPerStep, metrics };
}

async function serve(): Promise<void> {
  const say = (message: Greeting | TurnReply): void => {
    process.stdout.write(`${JSON.stringify(message)}\n`);
  };
  const loaded = await loadTensorFlow({ device: 'cpu', threads: 0 });
  if (loaded.kind !== 'native') throw new Error(loaded.notice ?? loaded.description);
  say({
    versions: { tensorflow: loaded.tensorflowVersion, tfjs: tf.version.tfjs, node: process.version },
    variants: mode === 'stock' ? ['eager'] : ['repeat', 'single-call'],
  });
  const runs = new Map<string, RunSteps>();
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await answer(turnRequest.parse(JSON.parse(line)), runs));
    } catch (error) {
      say({ error: error instanceof Error ? error.message : String(error) });
    }
  }
}

process.stderr.write(`${availableParallelism()} threads\n`);
void serve().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
