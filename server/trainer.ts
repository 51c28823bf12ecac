// One run, in a process of its own: it may block, run out of memory or be killed, and nobody else notices but its run.
import { prepareExperiment } from './experiments/registry';
import { trainRun } from './runs/trainer-process';
import { loadTensorFlow } from './tensorflow/load-tensorflow';

const [purpose, run] = process.argv.slice(2);
if ((purpose !== 'start' && purpose !== 'resume') || run === undefined) {
  throw new Error('The trainer is started by `mine run`, not by hand.');
}

void trainRun(run, purpose, {
  loadEngine: async (execution) => {
    const { kind, notice, ...device } = await loadTensorFlow(execution);
    return { device: { engine: kind, ...device }, notice };
  },
  prepare: prepareExperiment,
}).then((exitCode) => {
  // TensorFlow's threads must not keep the process.
  process.exit(exitCode);
});
