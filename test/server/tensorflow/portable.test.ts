import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { VariableValue } from '../../../server/tensorflow/program';
import { loadTensorFlow } from '../../../server/tensorflow/load-tensorflow';
import { RandomStreams } from '../../../server/tensorflow/random';
import oracle from '../../oracle/random_numbers.json';
import { loadEngineForTests } from '../native-engine';
import { difference, expectedResults, OPERATION_NAMES, runOperations } from './operation-table';
import { prepareSmall, smallExperiments } from './small-experiments';

interface Start {
  readonly weights: Map<string, VariableValue>;
  readonly rows: Float32Array;
}

/** Trains an experiment for three iterations on whatever backend is loaded. */
async function start(index: number): Promise<Start> {
  const training = await prepareSmall(
    smallExperiments(tf.getBackend() === 'tensorflow' ? 'eager' : 'auto')[index]!.config,
  );
  expect(training.mode).toBe('eager');
  const weights = training.pull();
  const rows = await training.advance(3);
  expect(rows.length).toBe(3 * training.metricNames.length);
  expect(rows.every(Number.isFinite)).toBe(true);
  const { metrics } = await training.evaluate();
  expect(Object.keys(metrics)).toEqual(training.evaluationMetricNames);
  expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
  training.dispose();
  return { weights, rows };
}

const wasmStarts: Start[] = [];

afterEach(() => {
  tf.disposeVariables();
});

// One process, one backend after the other.
describe.each([
  ['wasm', 'wasm', 'WebAssembly'],
  ['javascript', 'cpu', 'JavaScript'],
] as const)('the portable backend, %s', (kind, backend, name) => {
  beforeAll(async () => {
    // As where WebAssembly does not start.
    if (kind === 'javascript') tf.removeBackend('wasm');
    const loaded = await loadTensorFlow({ device: 'portable', threads: 0 });
    expect(loaded).toMatchObject({ kind, device: 'cpu', tensorflowVersion: tf.version.tfjs });
    expect(loaded.description).toContain(name);
    expect(loaded.notice).toContain(`Training runs in ${name}, uncompiled`);
    expect(tf.getBackend()).toBe(backend);
  });

  it.each(smallExperiments('auto').map((experiment, index) => ({ ...experiment, index })))(
    'trains and evaluates the experiment $name',
    async ({ index }) => {
      const result = await start(index);
      if (kind === 'wasm') wasmStarts[index] = result;
      else expect(result.weights).toEqual(wasmStarts[index]!.weights);
    },
  );

  it.each(oracle.streams)('draws TensorFlow’s numbers for seed $seed, "$stream", step $step, draw $draw', (row) => {
    const numbers = tf.tidy(() => {
      const base = new RandomStreams(row.seed, tf.scalar(row.step));
      const streams = row.draw === null ? base : base.fold(tf.scalar(row.draw, 'int32'));
      return {
        integers: [...streams.integers([3, 5], 1000, row.stream).dataSync()],
        uniform: [...streams.uniform([3, 5], row.stream).dataSync()],
        normal: [...streams.normal([3, 5], row.stream).dataSync()],
      };
    });
    expect(numbers.integers).toEqual(row.integers);
    expect(numbers.uniform).toEqual(row.uniform);
    for (const [i, value] of row.normal.entries()) expect(Math.abs(numbers.normal[i]! - value)).toBeLessThan(5e-6);
  });

  it('computes the operations of the table and their gradients', () => {
    // tfjs has the gradient of a convolution's filter in JavaScript only.
    const missing = kind === 'wasm' ? ['conv2d', 'conv2dStride2', 'conv2dTranspose'] : [];
    const names = OPERATION_NAMES.filter((operation) => !missing.includes(operation));
    const results = runOperations(names, 'eager');
    const differences = names.map((operation) => [
      operation,
      difference(results.get(operation)!, expectedResults(operation)),
    ]);
    expect(differences.filter(([, found]) => found !== undefined)).toEqual([]);
    for (const operation of missing) expect(() => runOperations([operation], 'eager')).toThrow(/Conv2DBackpropFilter/);
  });
});

describe('the native backend', () => {
  beforeAll(loadEngineForTests);

  it.each([0, 1])(
    'starts experiment %i from the portable one’s weights and takes the same first steps',
    async (index) => {
      const native = await start(index);
      const portable = wasmStarts[index]!;
      expect([...native.weights.keys()]).toEqual([...portable.weights.keys()]);
      for (const [name, { values }] of native.weights)
        for (const [i, value] of values.entries())
          expect(Math.abs(value - portable.weights.get(name)!.values[i]!), name).toBeLessThan(1e-6);
      for (const [i, value] of native.rows.entries())
        expect(Math.abs(value - portable.rows[i]!)).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
    },
  );
});
