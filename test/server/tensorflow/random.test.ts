import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nativeBackend } from '../../../server/tensorflow/native-backend';
import { philoxBits } from '../../../server/tensorflow/philox';
import { compileProgram, type ProgramMode } from '../../../server/tensorflow/program';
import { inverseErrorFunction, RandomStreams, streamKey } from '../../../server/tensorflow/random';
import oracle from '../../oracle/random_numbers.json';
import { loadEngineForTests } from '../native-engine';

const MODES = ['eager', 'graph', 'xla'] as const;

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

/** TensorFlow's own operation, outside of any recording. */
function nativeBits(shape: number[], key: number, step: number): number[] {
  const native = nativeBackend()!;
  const { TF_INT32 } = native.binding;
  return tf.tidy(() => [
    ...native
      .execute(
        'StatelessRandomUniformFullInt',
        ['T', 'Tseed', 'dtype'].map((name) => native.typeAttribute(name, TF_INT32)),
        [tf.tensor1d(shape, 'int32'), tf.tensor1d([key, step], 'int32')],
      )
      .dataSync(),
  ]);
}

const portableBits = (shape: number[], key: number, step: number): number[] =>
  tf.tidy(() => [...philoxBits(shape, key, step).dataSync()]);

/** `count` numbers of one stream, eagerly. */
function drawn(
  count: number,
  { seed = 1, step = 0, stream = 'x', draw }: { seed?: number; step?: number; stream?: string; draw?: number },
  kind: 'uniform' | 'normal' = 'normal',
): Float32Array {
  return tf.tidy(() => {
    const streams = new RandomStreams(seed, tf.scalar(step));
    const folded = draw === undefined ? streams : streams.fold(tf.scalar(draw, 'int32'));
    return folded[kind]([count], stream).dataSync() as Float32Array;
  });
}

describe('the bits', () => {
  it.each(oracle.raw)('for key $key, step $step and shape $shape are TensorFlow’s', ({ shape, key, step, bits }) => {
    expect(nativeBits(shape, key, step)).toEqual(bits);
    expect(portableBits(shape, key, step)).toEqual(bits);
  });

  it('are computed alike in JavaScript for many keys, steps and sizes', () => {
    // Sizes around the block of four words and the groups of blocks that TensorFlow fills at a time.
    for (let i = 0; i < 50; i++) {
      const key = streamKey(i, 'key');
      const step = Math.floor(2 ** (i / 2.1));
      const size = 1 + ((i * 37) % 300);
      expect(portableBits([size], key, step)).toEqual(nativeBits([size], key, step));
    }
  });

  it('do not depend on how many are drawn', () => {
    const many = nativeBits([100_000], 5, 6);
    expect(nativeBits([1000], 5, 6)).toEqual(many.slice(0, 1000));
    expect(portableBits([1001], 5, 6)).toEqual(many.slice(0, 1001));
  });
});

describe('a stream', () => {
  const run = (mode: ProgramMode, { seed, stream, step, draw }: (typeof oracle.streams)[number]) => {
    const stepVariable = tf.variable(tf.scalar(step), false, 'step');
    const streams = new RandomStreams(seed, stepVariable);
    const program = compileProgram(
      {
        draw: {
          inputs: { draw: { shape: [], dtype: 'int32' } },
          body: ({ draw: index }) => {
            const folded = draw === null ? streams : streams.fold(index as tf.Scalar);
            return {
              integers: folded.integers([3, 5], 1000, stream),
              uniform: folded.uniform([3, 5], stream),
              normal: folded.normal([3, 5], stream),
            };
          },
        },
      },
      { mode },
    );
    const results = program.run('draw', { draw: Int32Array.of(draw ?? 0) });
    program.dispose();
    return results;
  };

  it.each(oracle.streams)(
    'of seed $seed, "$stream", step $step, draw $draw gives the same numbers in every mode',
    (row) => {
      for (const mode of MODES) {
        const { integers, uniform, normal } = run(mode, row);
        expect([...integers!.values], mode).toEqual(row.integers);
        expect([...uniform!.values], mode).toEqual(row.uniform);
        for (const [i, value] of row.normal.entries())
          expect(Math.abs(normal!.values[i]! - value), mode).toBeLessThan(1e-6 * Math.max(1, Math.abs(value)));
      }
    },
  );

  it('draws other numbers at every step and the same ones at the same step', () => {
    for (const mode of MODES) {
      const step = tf.variable(tf.scalar(0), false, 'step');
      const streams = new RandomStreams(3, step);
      const program = compileProgram(
        {
          train: () => {
            const [first, second] = [streams.normal([], 'a'), streams.normal([], 'a')];
            step.assign(tf.add(step, 1));
            return { first, second };
          },
        },
        { mode },
      );
      const rows = program.repeat('train', 100);
      const first = Array.from({ length: 100 }, (_, i) => rows[2 * i]);
      expect(first).toEqual(Array.from({ length: 100 }, (_, i) => rows[2 * i + 1]));
      expect(new Set(first).size).toBe(100);
      program.dispose();
    }
  });

  it('is uniform on [0, 1), 24 bits fine', () => {
    const numbers = drawn(1_000_000, {}, 'uniform');
    let [least, most, finest] = [1, 0, true];
    for (const u of numbers) {
      least = Math.min(least, u);
      most = Math.max(most, u);
      finest &&= Number.isInteger(u * 2 ** 24);
    }
    expect(least).toBeGreaterThanOrEqual(0);
    expect(least).toBeLessThan(1e-5);
    expect(most).toBeLessThan(1);
    expect(most).toBeGreaterThan(1 - 1e-5);
    expect(finest).toBe(true);
    expect(
      chiSquare(
        [...numbers.slice(0, 200_000)].map((u) => Math.floor(u * 256)),
        256,
      ),
    ).toBeLessThan(oracle.chiSquare['256']);
  });

  it.each([2, 10, 25, 1000] as const)('draws integers below %i, each as often as another', (limit) => {
    const integers = tf.tidy(() => [...new RandomStreams(1, tf.scalar(4)).integers([200_000], limit, 'i').dataSync()]);
    expect(integers.every((i) => Number.isInteger(i) && i >= 0 && i < limit)).toBe(true);
    expect(chiSquare(integers, limit)).toBeLessThan(oracle.chiSquare[limit]);
  });

  it('is standard normal: moments and distribution', () => {
    const { count, threshold } = oracle.kolmogorovSmirnov;
    const z = drawn(count, { stream: 'normal' }).sort();
    const moment = (power: number): number => z.reduce((sum, value) => sum + value ** power, 0) / count;
    // The variance of z^k under N(0, 1): E[z^2k] - E[z^k]^2.
    for (const [power, mean, variance] of [
      [1, 0, 1],
      [2, 1, 2],
      [3, 0, 15],
      [4, 3, 96],
      [6, 15, 10_170],
    ] as const)
      expect(Math.abs(moment(power) - mean), `moment ${power}`).toBeLessThan(
        oracle.normalDeviation * Math.sqrt(variance / count),
      );
    // Kolmogorov and Smirnov's statistic at SciPy's quantiles, a two-thousandth apart.
    const { probabilities, values } = oracle.normalQuantiles;
    let below = 0;
    let statistic = 0;
    for (const [i, quantile] of values.entries()) {
      while (below < count && z[below]! <= quantile) below++;
      statistic = Math.max(statistic, Math.abs(below / count - probabilities[i]!));
    }
    expect(statistic).toBeLessThan(threshold);
    // Both tails are there: of 200,000 numbers about 12.7 lie beyond 4 deviations.
    expect(z[0]!).toBeLessThan(-4);
    expect(z[count - 1]!).toBeGreaterThan(4);
  });

  it('is uncorrelated with every other stream, step, seed and draw, and with itself', () => {
    const count = 100_000;
    const base = drawn(count, { seed: 1, step: 10, stream: 'x', draw: 3 });
    const others: Record<string, Float32Array> = {
      'without draw': drawn(count, { seed: 1, step: 10, stream: 'x' }),
      'the next draw': drawn(count, { seed: 1, step: 10, stream: 'x', draw: 4 }),
      'a far draw': drawn(count, { seed: 1, step: 10, stream: 'x', draw: 999_999 }),
      'the next step': drawn(count, { seed: 1, step: 11, stream: 'x', draw: 3 }),
      'a far step': drawn(count, { seed: 1, step: 5_000_000, stream: 'x', draw: 3 }),
      'the next seed': drawn(count, { seed: 2, step: 10, stream: 'x', draw: 3 }),
      'another stream': drawn(count, { seed: 1, step: 10, stream: 'y', draw: 3 }),
      'a stream with a longer name': drawn(count, { seed: 1, step: 10, stream: 'x/x', draw: 3 }),
    };
    for (const lag of [1, 2, 3, 4, 8, 256]) others[`itself ${lag} later`] = rotated(base, lag);
    const limit = oracle.normalDeviation / Math.sqrt(count);
    for (const [name, other] of Object.entries(others)) {
      expect(Math.abs(correlation(base, other)), name).toBeLessThan(limit);
      expect(Math.abs(correlation(base.map(Math.abs), other.map(Math.abs))), `sizes of ${name}`).toBeLessThan(limit);
    }
    // What would show if a key did not matter.
    expect(correlation(base, drawn(count, { seed: 1, step: 10, stream: 'x', draw: 3 }))).toBeCloseTo(1, 6);
  });
});

describe('streamKey', () => {
  it('gives keys of 32 bits that seeds and names do not share', () => {
    const keys = Array.from({ length: 200 }, (_, seed) =>
      ['x', 'y', 'joint/x', 'joint/z', 'marginal/x', 'real-0', 'real-1', ''].map((stream) => streamKey(seed, stream)),
    ).flat();
    expect(keys.every((key) => key === (key | 0))).toBe(true);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('inverseErrorFunction', () => {
  it('is SciPy’s erfinv, tails included', () => {
    const { x, value } = oracle.inverseErrorFunction;
    const results = tf.tidy(() => inverseErrorFunction(tf.tensor1d(x)).dataSync());
    const errors = value.map((expected, i) => Math.abs(results[i]! - expected) / Math.max(Math.abs(expected), 1e-30));
    expect(Math.max(...errors)).toBeLessThan(1e-6);
  });
});

/** Pearson's statistic of integers in [0, bins) against equal frequencies. */
function chiSquare(integers: readonly number[], bins: number): number {
  const counts = new Array<number>(bins).fill(0);
  for (const i of integers) counts[i]!++;
  const expected = integers.length / bins;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

function correlation(a: Float32Array, b: Float32Array): number {
  const [meanA, meanB] = [a, b].map((x) => x.reduce((sum, value) => sum + value, 0) / x.length) as [number, number];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}

function rotated(x: Float32Array, lag: number): Float32Array {
  return Float32Array.from([...x.subarray(lag), ...x.subarray(0, lag)]);
}
