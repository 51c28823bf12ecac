// Bundled and run by program.test.ts: an entry that reads a value, and what is said about it.
import * as tf from '@tensorflow/tfjs';
import { leakyRelu } from '../../../server/tensorflow/activations';
import { gradientsOf } from '../../../server/tensorflow/gradients';
import { loadTensorFlow } from '../../../server/tensorflow/load-tensorflow';
import { compileProgram } from '../../../server/tensorflow/program';

async function refusal(): Promise<string> {
  await loadTensorFlow({ device: 'cpu', threads: 0 });
  const weights = tf.variable(tf.tensor1d([1, 2]), true, 'weights');
  const loss = (): tf.Scalar => {
    const hidden = leakyRelu(weights, 0.1);
    return tf.mul(tf.mean(hidden), hidden.dataSync()[0]!);
  };
  try {
    compileProgram({ train: () => ({ loss: gradientsOf(loss, [weights]).value }) }, { mode: 'graph' });
    return 'nothing was refused';
  } catch (error) {
    return String(error);
  }
}

void refusal().then((text) => process.stdout.write(text));
