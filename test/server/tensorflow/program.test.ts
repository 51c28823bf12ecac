import * as tf from '@tensorflow/tfjs';
import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { REPEAT_CAPACITY } from '../../../server/tensorflow/recorded-entry';
import { gradientsOf } from '../../../server/tensorflow/gradients';
import { createOptimizer } from '../../../server/tensorflow/optimizers';
import { compileProgram, type Entry, type Program } from '../../../server/tensorflow/program';
import { RandomStreams } from '../../../server/tensorflow/random';
import { loadEngineForTests } from '../native-engine';

const MODES = ['eager', 'graph', 'xla'] as const;
type Mode = (typeof MODES)[number];
const COMPILED = ['graph', 'xla'] as const;

const ADAM = { kind: 'adam', learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

// In a tidy, so that the initial tensor goes and only the variable stays.
const variable = (name: string, values: number[]): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor1d(values), true, name));
const scalarVariable = (name: string, value: number): tf.Variable =>
  tf.tidy(() => tf.variable(tf.scalar(value), true, name));

function valuesOf(program: Program<string>): Record<string, number[]> {
  return Object.fromEntries([...program.pull()].map(([name, { values }]) => [name, [...values]]));
}

/** Runs an entry and returns its results as plain numbers. */
function run<Name extends string>(
  program: Program<Name>,
  entry: Name,
  inputs?: Record<string, Float32Array | Int32Array>,
): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(program.run(entry, inputs)).map(([name, { values }]) => [name, [...values]]),
  );
}

/** A small step with everything that carries state from step to step: weights, Adam, an average, random numbers. */
function trainingStep(mode: Mode): Program<'train' | 'other'> {
  const weights = tf.tidy(() => tf.variable(tf.tensor2d([[0.5], [-0.25]]), true, 'weights'));
  const average = scalarVariable('average', 0);
  const step = scalarVariable('step', 0);
  const adam = createOptimizer(ADAM, [weights], 'adam');
  const random = new RandomStreams(7, step as unknown as tf.Scalar);
  const train = (): Record<string, tf.Tensor> => {
    const x = random.normal([8, 2], 'x');
    const { value, gradients } = gradientsOf(
      () => tf.mean(tf.square(tf.sub(tf.matMul(x as tf.Tensor2D, weights as unknown as tf.Tensor2D), 1))),
      [weights],
    );
    adam.apply(gradients);
    average.assign(tf.add(tf.mul(average, 0.9), tf.mul(value, 0.1)));
    step.assign(tf.add(step, 1));
    return { loss: value, average: tf.clone(average), step: tf.clone(step) };
  };
  return compileProgram({ train, other: () => ({ weights: tf.clone(weights) }) }, { mode });
}

describe.each(MODES)('a program in mode %s', (mode) => {
  it('shares its state between entries', () => {
    const v = variable('v', [1, 2]);
    const program = compileProgram(
      {
        double: () => {
          v.assign(tf.mul(v, 2));
          return { v };
        },
        add: {
          inputs: { amount: { shape: [2], dtype: 'float32' } },
          body: ({ amount }) => {
            v.assign(tf.add(v, amount!));
            return { v };
          },
        },
        sum: () => ({ sum: tf.sum(v) }),
      },
      { mode },
    );
    run(program, 'double');
    expect(run(program, 'add', { amount: Float32Array.of(10, 20) })).toEqual({ v: [12, 24] });
    expect(run(program, 'double')).toEqual({ v: [24, 48] });
    expect(run(program, 'sum')).toEqual({ sum: [72] });
    program.dispose();
  });

  it('reads inputs of both types and returns results of every type with their shapes', () => {
    const program = compileProgram(
      {
        entry: {
          inputs: { x: { shape: [2, 2], dtype: 'float32' }, n: { shape: [2], dtype: 'int32' } },
          body: ({ x, n }) => ({
            transposed: tf.transpose(x!),
            integers: tf.mul(n!, tf.scalar(3, 'int32')),
            positive: tf.greater(x!, 0),
            scalar: tf.sum(n!),
          }),
        },
      },
      { mode },
    );
    const results = program.run('entry', { x: Float32Array.of(1, -2, 3, -4), n: Int32Array.of(5, 16_777_217) });
    expect(results).toEqual({
      transposed: { shape: [2, 2], values: Float32Array.of(1, 3, -2, -4) },
      integers: { shape: [2], values: Int32Array.of(15, 50_331_651) },
      positive: { shape: [2, 2], values: Uint8Array.of(1, 0, 1, 0) },
      scalar: { shape: [], values: Int32Array.of(16_777_222) },
    });
    // Whole numbers for a float32 input are numbers all the same.
    const { transposed } = program.run('entry', { x: Int32Array.of(1, -2, 3, -4), n: Int32Array.of(5, 6) });
    expect(transposed!.values).toEqual(Float32Array.of(1, 3, -2, -4));
    program.dispose();
  });

  it('reads a variable before it is written, wherever the value is used', () => {
    const v = variable('v', [1, 2]);
    const program = compileProgram(
      {
        // The old value is kept before the write and used only after it.
        replace: () => {
          const old = tf.clone(v);
          v.assign(tf.tensor1d([7, 8]));
          return { old, difference: tf.sub(v, old), fresh: v };
        },
        increase: () => {
          const before = tf.mul(v, 10);
          v.assign(tf.add(v, 1));
          return { before, after: tf.mul(v, 10) };
        },
      },
      { mode },
    );
    expect(run(program, 'replace')).toEqual({ old: [1, 2], difference: [6, 6], fresh: [7, 8] });
    expect(run(program, 'replace')).toEqual({ old: [7, 8], difference: [0, 0], fresh: [7, 8] });
    expect(run(program, 'increase')).toEqual({ before: [70, 80], after: [80, 90] });
    expect(valuesOf(program)).toEqual({ v: [8, 9] });
    program.dispose();
  });

  it('gives code after an Adam update the new value and code before it the old one', () => {
    const v = variable('v', [1, 2]);
    const adam = createOptimizer(ADAM, [v], 'adam');
    const program = compileProgram(
      {
        train: () => {
          const gradient = tf.tensor1d([0.5, -3]);
          const unread = tf.clone(v);
          adam.apply([gradient]);
          const between = tf.clone(v);
          adam.apply([gradient]);
          return { unread, between, after: tf.clone(v), product: tf.mul(v, between) };
        },
      },
      { mode },
    );
    // With constant gradients a step of Adam is the learning rate, against the gradient's sign.
    const expected = { unread: [1, 2], between: [0.9, 2.1], after: [0.8, 2.2], product: [0.72, 4.62] };
    const results = run(program, 'train');
    for (const [name, values] of Object.entries(expected))
      values.forEach((value, i) => {
        expect(results[name]![i], name).toBeCloseTo(value, 5);
      });
    expect(results['after']).toEqual(valuesOf(program)['v']);
    program.dispose();
  });

  it('updates what was assigned before, and assigns what was updated before', () => {
    const first = variable('first', [5, 6]);
    const second = variable('second', [5, 6]);
    const adam = createOptimizer(ADAM, [first, second], 'adam');
    const program = compileProgram(
      {
        train: () => {
          first.assign(tf.tensor1d([1, 2]));
          adam.apply([tf.tensor1d([1, 1]), tf.tensor1d([1, 1])]);
          second.assign(tf.mul(second, 2));
          return { first: tf.clone(first), second: tf.clone(second) };
        },
      },
      { mode },
    );
    const { first: assigned, second: updated } = run(program, 'train');
    expect(assigned![0]).toBeCloseTo(0.9, 5);
    expect(updated![0]).toBeCloseTo(9.8, 5);
    expect(valuesOf(program)).toMatchObject({ first: assigned, second: updated });
    program.dispose();
  });

  it('keeps the last of several assignments, also back to the first value', () => {
    const v = variable('v', [1, 2]);
    const restored = variable('restored', [3, 4]);
    const adam = createOptimizer({ kind: 'sgd', learningRate: 1 }, [v], 'sgd');
    const program = compileProgram(
      {
        entry: () => {
          const old = tf.clone(restored);
          restored.assign(tf.zerosLike(restored));
          v.assign(tf.add(v, restored));
          v.assign(tf.mul(v, 3));
          adam.apply([tf.tensor1d([1, 1])]);
          restored.assign(old);
          return { v: tf.clone(v), restored: tf.clone(restored) };
        },
      },
      { mode },
    );
    expect(run(program, 'entry')).toEqual({ v: [2, 5], restored: [3, 4] });
    expect(run(program, 'entry')).toEqual({ v: [5, 14], restored: [3, 4] });
    program.dispose();
  });

  it('undoes an update in place by assigning the old value', () => {
    const v = variable('v', [1, 2]);
    const adam = createOptimizer(ADAM, [v], 'adam');
    const program = compileProgram(
      {
        entry: () => {
          const old = tf.clone(v);
          adam.apply([tf.tensor1d([1, 1])]);
          const moved = tf.clone(v);
          v.assign(old);
          return { moved, v };
        },
      },
      { mode },
    );
    expect(run(program, 'entry')['v']).toEqual([1, 2]);
    expect(valuesOf(program)['v']).toEqual([1, 2]);
    program.dispose();
  });

  it('swaps two variables', () => {
    const a = variable('a', [1, 2]);
    const b = variable('b', [3, 4]);
    const program = compileProgram(
      {
        swap: () => {
          const old = tf.clone(a);
          a.assign(b);
          b.assign(old);
          return { a: tf.clone(a), b: tf.clone(b) };
        },
      },
      { mode },
    );
    expect(run(program, 'swap')).toEqual({ a: [3, 4], b: [1, 2] });
    expect(run(program, 'swap')).toEqual({ a: [1, 2], b: [3, 4] });
    expect(valuesOf(program)).toEqual({ a: [1, 2], b: [3, 4] });
    program.dispose();
  });

  it('keeps variables apart that were given the same tensor', () => {
    const shared = tf.tensor1d([1, 2]);
    const a = tf.variable(shared, true, 'a');
    const b = tf.variable(shared, true, 'b');
    const program = compileProgram(
      {
        entry: () => {
          a.assign(tf.add(a, 1));
          b.assign(tf.mul(b, 10));
          return { a: tf.clone(a), b: tf.clone(b) };
        },
        // Both hold one tensor at the end of the step.
        join: () => {
          const value = tf.tensor1d([5, 6]);
          a.assign(value);
          b.assign(value);
          return { sum: tf.add(a, b) };
        },
      },
      { mode },
    );
    expect(run(program, 'entry')).toEqual({ a: [2, 3], b: [10, 20] });
    expect(run(program, 'entry')).toEqual({ a: [3, 4], b: [100, 200] });
    expect(run(program, 'join')).toEqual({ sum: [10, 12] });
    expect(run(program, 'entry')).toEqual({ a: [6, 7], b: [50, 60] });
    program.dispose();
  });

  it('does not change the variables by being made', () => {
    const v = variable('v', [1, 2]);
    const program = compileProgram(
      {
        entry: () => {
          v.assign(tf.add(v, 1));
          return { v };
        },
      },
      { mode },
    );
    expect(program.resultNames('entry')).toEqual(['v']);
    expect(valuesOf(program)).toEqual({ v: [1, 2] });
    program.dispose();
  });

  it('repeats steps exactly as so many single runs, however many', () => {
    const counts = [1, 5, REPEAT_CAPACITY, REPEAT_CAPACITY + 1, 2 * REPEAT_CAPACITY + 3];
    // One program after the other: tfjs knows a variable's name only once.
    const trained = (train: (program: Program<'train' | 'other'>, count: number) => number[]): unknown[] => {
      const program = trainingStep(mode);
      expect(program.resultNames('train')).toEqual(['loss', 'average', 'step']);
      const initial = program.pull();
      const outcomes = counts.map((count) => {
        program.push(initial);
        return { rows: train(program, count), end: program.pull() };
      });
      expect(outcomes.map(({ rows }) => rows.at(-1))).toEqual(counts);
      expect(program.repeat('train', 0)).toEqual(new Float32Array(0));
      program.dispose();
      return outcomes;
    };
    const repeated = trained((program, count) => [...program.repeat('train', count)]);
    const single = trained((program, count) =>
      Array.from({ length: count }, () => Object.values(run(program, 'train')).flat()).flat(),
    );
    expect(single).toEqual(repeated);
  });

  it('goes on bit for bit from values that were pulled, in a program of its own', () => {
    const program = trainingStep(mode);
    program.repeat('train', 10);
    const saved = program.pull();
    const expected = program.repeat('train', 10);
    program.push(saved);
    expect(program.pull()).toEqual(saved);
    expect(program.repeat('train', 10)).toEqual(expected);
    program.dispose();
    const fresh = trainingStep(mode);
    fresh.push(saved);
    expect(fresh.repeat('train', 10)).toEqual(expected);
    fresh.dispose();
  });

  it('keeps data sets out of what is pulled and pushed', () => {
    const v = scalarVariable('v', 1);
    const rows = tf.variable(tf.tensor1d([10, 20]), false, 'data/rows');
    const program = compileProgram(
      {
        entry: () => {
          v.assign(tf.add(v, tf.sum(rows)));
          return { v };
        },
      },
      { mode },
    );
    const saved = program.pull();
    expect([...saved.keys()]).toEqual(['v']);
    run(program, 'entry');
    program.push(saved);
    expect(run(program, 'entry')).toEqual({ v: [31] });
    program.dispose();
  });

  it.each<[string, (values: ReturnType<Program<string>['pull']>) => void, RegExp]>([
    ['is missing', (values) => values.delete('adam/first-moment/weights'), /"adam\/first-moment\/weights" is missing/],
    ['is unknown', (values) => values.set('biases', { shape: [], values: Float32Array.of(1) }), /no variable "biases"/],
    [
      'has another shape',
      (values) => values.set('weights', { shape: [1, 2], values: Float32Array.of(1, 2) }),
      /"weights" has shape \[2, 1\], its value \[1, 2\]/,
    ],
    [
      'has too few numbers',
      (values) => values.set('weights', { shape: [2, 1], values: Float32Array.of(1) }),
      /"weights" of shape \[2, 1\] has 1 numbers, not 2/,
    ],
  ])('changes nothing when a pushed variable %s, and names it', (_, spoil, message) => {
    const program = trainingStep(mode);
    const other = new Map(
      [...program.pull()].map(([name, value]) => [name, { ...value, values: value.values.map(() => 9) }]),
    );
    spoil(other);
    const before = program.pull();
    expect(() => {
      program.push(other);
    }).toThrow(message);
    expect(program.pull()).toEqual(before);
    program.dispose();
  });

  it('works without any variable', () => {
    const program = compileProgram({ entry: () => ({ two: tf.add(1, 1) }) }, { mode });
    expect(program.pull()).toEqual(new Map());
    program.push(new Map());
    expect(run(program, 'entry')).toEqual({ two: [2] });
    program.dispose();
  });

  it('says what is wrong with a call', () => {
    const v = variable('v', [1, 2]);
    const program = compileProgram(
      {
        train: { inputs: { run: { shape: [2], dtype: 'float32' } }, body: ({ run }) => ({ sum: tf.add(run!, v) }) },
        vector: () => ({ v: tf.clone(v) }),
      },
      { mode },
    );
    expect(() => program.run('train', { run: Float32Array.of(1, 2, 3) })).toThrow(
      'input "run" of "train" has 3 values; its shape [2], fixed when it was recorded, needs 2',
    );
    expect(() => program.run('train')).toThrow('"train" needs its input "run" of shape [2]');
    expect(() => program.run('train', { y: Float32Array.of(1) })).toThrow('"train" has no input "y"; it has: run');
    expect(() => program.run('tran' as 'train')).toThrow('no entry "tran"; it has: train, vector');
    expect(() => program.repeat('tran' as 'train', 2)).toThrow('no entry "tran"');
    expect(() => program.resultNames('tran' as 'train')).toThrow('no entry "tran"');
    expect(() => program.repeat('train', 2)).toThrow('"train" cannot be repeated');
    expect(() => program.repeat('vector', 2)).toThrow('"vector" cannot be repeated');
    expect(program.resultNames('train')).toEqual(['sum']);
    // Nothing of this broke the program.
    expect(run(program, 'train', { run: Float32Array.of(1, 2) })).toEqual({ sum: [2, 4] });
    program.dispose();
  });

  it('refuses an entry that returns nothing', () => {
    const v = variable('v', [1, 2]);
    const make = (): unknown =>
      compileProgram(
        {
          silent: () => {
            v.assign(tf.add(v, 1));
            return {};
          },
        },
        { mode },
      ).run('silent');
    expect(make).toThrow(/"silent" returns no tensors/);
  });

  it('frees its variables with dispose, and then cannot be used', () => {
    const before = tf.memory().numTensors;
    const program = trainingStep(mode);
    program.repeat('train', 3);
    program.dispose();
    expect(tf.memory().numTensors).toBe(before);
    expect(() => program.run('train')).toThrow(/disposed/);
    expect(() => program.repeat('train', 1)).toThrow(/disposed/);
    expect(() => program.pull()).toThrow(/disposed/);
    // Twice is as good as once.
    program.dispose();
  });
});

describe('recording', () => {
  it('leaves no tensor behind, whether it fails or not', () => {
    const v = variable('v', [1, 2]);
    const tensors = tf.memory().numTensors;
    const inputs = { x: { shape: [2], dtype: 'float32' } } as const;
    const bad: Entry = { inputs, body: ({ x }) => ({ y: tf.scalar(tf.mul(x!, v).dataSync()[0]!) }) };
    expect(() => compileProgram({ bad }, { mode: 'graph' })).toThrow();
    expect(tf.memory().numTensors).toBe(tensors);
    compileProgram({ good: { inputs, body: ({ x }) => ({ y: tf.mul(x!, v) }) } }, { mode: 'graph' }).dispose();
    // The program has taken the variable over.
    expect(tf.memory().numTensors).toBe(tensors - 1);
  });
});

describe('in the bundle that ships', () => {
  it('a refusal names the line of the source, too', async () => {
    const outfile = path.join('node_modules', '.cache', 'mine-tests', 'refused-entry.cjs');
    await build({
      entryPoints: [path.join(import.meta.dirname, 'refused-entry.ts')],
      outfile,
      // As esbuild.mjs has it.
      ...{ bundle: true, sourcemap: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'error' },
      external: ['@mapbox/node-pre-gyp'],
    });
    const { stdout } = await promisify(execFile)(process.execPath, [outfile]);
    const line = readFileSync(path.join(import.meta.dirname, 'refused-entry.ts'), 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('dataSync()'));
    expect(stdout).toMatch(new RegExp(`recording "train": .*refused-entry\\.ts:${line + 1}:\\d+\\)`));
  });
});

describe('the native engine', () => {
  it('copies the numbers it is given: memory shared with Node must not be freed on TensorFlow’s threads', () => {
    // Only an array that happens to be aligned would be shared.
    for (const size of [1, 16, 64, 1000])
      for (let i = 0; i < 50; i++) {
        const array = new Float32Array(size).fill(1);
        const tensor = tf.tensor1d(array);
        // The first use hands the array over.
        tf.neg(tensor).dispose();
        array.fill(2);
        expect(tf.sum(tf.add(tensor, 0)).dataSync()[0]).toBe(size);
        tensor.dispose();
      }
  });
});

describe('the mode of an entry', () => {
  it('can differ from the program’s without a difference in state or values', () => {
    const results = ([undefined, 'graph', 'xla'] as const).map((mode) => {
      const v = scalarVariable('v', 2);
      const program = compileProgram(
        {
          square: () => {
            v.assign(tf.square(v));
            return { v };
          },
          half: { ...(mode === undefined ? {} : { mode }), body: () => ({ half: tf.div(v, 2) }) },
        },
        { mode: mode === 'xla' ? 'graph' : 'xla' },
      );
      program.repeat('square', 2);
      const { half } = run(program, 'half');
      program.dispose();
      return half;
    });
    expect(results).toEqual([[8], [8], [8]]);
  });
});

describe.each(COMPILED)('what cannot be recorded in mode %s', (mode) => {
  let v: tf.Variable;
  const outside = (): tf.Tensor => {
    const made = tf.tensor1d([1, 2]);
    // Used once, so that TensorFlow holds it.
    made.square().dispose();
    return made;
  };
  let fromOutside: tf.Tensor;
  beforeAll(() => {
    fromOutside = outside();
  });

  it.each<[string, () => Record<string, tf.Tensor>, RegExp]>([
    ['reading values', () => ({ y: tf.scalar(tf.square(v).dataSync()[0]!) }), /values of a tensor cannot be read here/],
    [
      'reading values in a gradient',
      () => ({ y: gradientsOf(() => tf.mean(tf.mul(v, tf.square(v).arraySync() as number[])), [v]).value }),
      /values of a tensor cannot be read here/,
    ],
    [
      'an `if` on a value',
      () => ({ y: tf.sum(v).dataSync()[0]! > 0 ? tf.neg(v) : v }),
      /control flow on values.*Compute with tensors/,
    ],
    ['numbers drawn in JavaScript', () => ({ y: tf.add(v, tf.randomNormal([2])) }), /draw with RandomStreams/],
    ['Math.random', () => ({ y: tf.mul(v, Math.random()) }), /draw with RandomStreams/],
    [
      'a constant that is too large',
      () => ({ y: tf.sum(tf.mul(tf.tensor1d(new Float32Array(1_000_001)), 2)) }),
      /a constant of 1000001 numbers: keep data in a tf\.Variable/,
    ],
    [
      'a tensor from outside',
      () => ({ y: tf.add(v, fromOutside) }),
      /made outside of the entry is used: make it a tf\.Variable or an input/,
    ],
    [
      'an operation that fails',
      () => ({ y: tf.reshape(tf.matMul(tf.ones([2, 3]), tf.ones([2, 3])), [2]) }),
      /inner shapes|matMul/i,
    ],
    ['text', () => ({ y: tf.concat([tf.tensor1d(['a']), tf.tensor1d(['b'])]) }), /float32, int32 and bool/],
    ['a bool variable', () => ({ y: tf.logicalNot(tf.engine().registeredVariables['flag']!) }), /"flag".*bool/],
  ])('%s is refused with the entry, the reason and the line', (_, body, message) => {
    v = variable('v', [1, 2]);
    const counter = scalarVariable('counter', 5);
    const flag = tf.variable(tf.tensor1d([true, false]), false, 'flag');
    const random = Math.random;
    const compile = (): Program<'good' | 'bad'> =>
      compileProgram<'good' | 'bad'>(
        {
          good: () => {
            v.assign(tf.add(v, 1));
            return { v };
          },
          bad: () => {
            counter.assign(tf.add(counter, 1));
            return body();
          },
        } satisfies Record<string, Entry>,
        { mode },
      );
    expect(compile).toThrow(message);
    expect(compile).toThrow(/recording "bad".*program\.test\.ts:\d+/s);
    // tfjs goes on as if nothing had happened.
    expect(Math.random).toBe(random);
    expect([...v.dataSync(), ...counter.dataSync(), ...flag.dataSync()]).toEqual([1, 2, 5, 1, 0]);
    const { value, gradients } = gradientsOf(() => tf.sum(tf.square(v)), [v]);
    expect([...value.dataSync(), ...gradients[0]!.dataSync()]).toEqual([5, 2, 4]);
    expect(() => {
      compileProgram({ good: () => ({ y: tf.sum(v) }) }, { mode }).dispose();
    }).not.toThrow();
  });
});
