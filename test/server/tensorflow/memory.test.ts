import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { gradientsOf } from '../../../server/tensorflow/gradients';
import { createOptimizer } from '../../../server/tensorflow/optimizers';
import { compileProgram, type Program, type ProgramMode } from '../../../server/tensorflow/program';
import { RandomStreams } from '../../../server/tensorflow/random';
import { loadEngineForTests } from '../native-engine';

const MEBIBYTE = 2 ** 20;
const ALLOWED_GROWTH = 20 * MEBIBYTE;

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

/** A small training step with everything a real one has: data, random numbers, a gradient, Adam, an average. */
function smallStep(mode: ProgramMode): Program<'train' | 'evaluate'> {
  const [weights, average, step, rows] = tf.tidy(() => [
    tf.variable(tf.ones([4, 1]), true, 'weights'),
    tf.variable(tf.scalar(0), false, 'average'),
    tf.variable(tf.scalar(0), false, 'step'),
    tf.variable(tf.ones([100, 4]), false, 'data/rows'),
  ]) as [tf.Variable, tf.Variable, tf.Variable, tf.Variable];
  const adam = createOptimizer(
    { kind: 'adam', learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    [weights],
    'adam',
  );
  const random = new RandomStreams(1, step as unknown as tf.Scalar);
  const loss = (x: tf.Tensor): tf.Scalar =>
    tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, weights as unknown as tf.Tensor2D)));
  return compileProgram(
    {
      train: () => {
        const x = tf.mul(random.normal([16, 4], 'x'), tf.slice(rows, [0, 0], [16, 4]));
        const { value, gradients } = gradientsOf(() => loss(x), [weights]);
        adam.apply(gradients);
        average.assign(tf.add(tf.mul(average, 0.9), tf.mul(value, 0.1)));
        step.assign(tf.add(step, 1));
        return { value, average: tf.clone(average) };
      },
      evaluate: {
        inputs: { x: { shape: [16, 4], dtype: 'float32' } },
        body: ({ x }) => ({ loss: loss(x!), scores: tf.matMul(x as tf.Tensor2D, weights as unknown as tf.Tensor2D) }),
      },
    },
    { mode },
  );
}

/** Resident memory after a garbage collection, where Node allows to ask for one. */
function residentMemory(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

/** How much the process grows while `work` does `steps` steps, after a tenth of them as a warm-up. */
function growth(steps: number, work: (steps: number) => void): { bytes: number; tensors: number } {
  work(steps / 10);
  const [bytes, tensors] = [residentMemory(), tf.memory().numTensors];
  work(steps);
  return { bytes: residentMemory() - bytes, tensors: tf.memory().numTensors - tensors };
}

describe('memory stays flat', () => {
  const single = (program: Program<'train' | 'evaluate'>) => (steps: number) => {
    for (let i = 0; i < steps; i++) program.run('train');
  };
  const repeated = (program: Program<'train' | 'evaluate'>) => (steps: number) => {
    for (let done = 0; done < steps; done += 100) program.repeat('train', 100);
  };
  const evaluated = (program: Program<'train' | 'evaluate'>) => (steps: number) => {
    const x = new Float32Array(64).fill(1);
    for (let i = 0; i < steps; i++) program.run('evaluate', { x });
  };

  it.each<[string, ProgramMode, number, (program: Program<'train' | 'evaluate'>) => (steps: number) => void]>([
    ['20,000 single runs', 'graph', 20_000, single],
    ['20,000 single runs', 'xla', 20_000, single],
    ['20,000 repeated steps', 'graph', 20_000, repeated],
    ['20,000 repeated steps', 'xla', 20_000, repeated],
    ['20,000 runs with an input and results of several sizes', 'graph', 20_000, evaluated],
    ['1,000 single runs', 'eager', 1000, single],
    ['1,000 repeated steps', 'eager', 1000, repeated],
  ])('over %s in mode %s', (_, mode, steps, work) => {
    const program = smallStep(mode);
    const { bytes, tensors } = growth(steps, work(program));
    expect(tensors).toBe(0);
    expect(bytes / MEBIBYTE).toBeLessThan(ALLOWED_GROWTH / MEBIBYTE);
    program.dispose();
  });

  it('over 1,000 checkpoints taken and restored', () => {
    const program = smallStep('graph');
    const { bytes, tensors } = growth(1000, (times) => {
      for (let i = 0; i < times; i++) program.push(program.pull());
    });
    expect(tensors).toBe(0);
    expect(bytes).toBeLessThan(ALLOWED_GROWTH);
    program.dispose();
  });

  it('and the measurement sees a leak of a kilobyte per step', () => {
    const leaked: tf.Tensor[] = [];
    const { bytes, tensors } = growth(30_000, (steps) => {
      for (let i = 0; i < steps; i++) leaked.push(tf.ones([256]).neg());
    });
    expect(tensors).toBeGreaterThanOrEqual(30_000);
    expect(bytes).toBeGreaterThan(ALLOWED_GROWTH);
    tf.dispose(leaked);
  });
});
