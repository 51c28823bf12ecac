// The trainer process as it ships, with a small regression in place of TensorFlow.
import { trainRun, type TrainerPurpose } from '../../../server/runs/trainer-process';
import { noisyRegression } from './noisy-regression';

const [purpose, run] = process.argv.slice(2);
void trainRun(run!, purpose as TrainerPurpose, {
  loadEngine: () =>
    Promise.resolve({
      device: {
        engine: 'javascript',
        device: 'cpu',
        threads: 1,
        tensorflowVersion: 'none',
        description: 'plain JavaScript',
      },
      notice: null,
    }),
  prepare: (config, { onPreparing }) => {
    onPreparing('recording');
    return Promise.resolve(noisyRegression(config));
  },
}).then((exitCode) => process.exit(exitCode));
