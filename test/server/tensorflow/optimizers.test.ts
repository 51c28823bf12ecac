import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { optimizer } from '../../../server/config/common';
import { learningRateFactor } from '../../../server/tensorflow/learning-rate';
import { createOptimizer } from '../../../server/tensorflow/optimizers';
import { compileProgram, type Program, type ProgramMode } from '../../../server/tensorflow/program';
import oracle from '../../oracle/optimizers.json';
import { loadEngineForTests } from '../native-engine';

const { shapes, initial, target, cases } = z
  .strictObject({
    shapes: z.array(z.array(z.int())),
    initial: z.array(z.number()),
    target: z.array(z.number()),
    cases: z.array(
      z.strictObject({
        config: optimizer,
        schedule: z.enum(['constant', 'linear', 'cosine']),
        steps: z.array(z.array(z.number())),
        paperForm: z.array(z.number()).optional(),
      }),
    ),
  })
  .parse(oracle);
type Case = (typeof cases)[number];

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

/** The numbers of all parameters, one parameter after the other, as tensors. */
function split(numbers: readonly number[]): tf.Tensor[] {
  let start = 0;
  return shapes.map((shape) => {
    const size = shape.reduce((product, dim) => product * dim, 1);
    start += size;
    return tf.tensor(numbers.slice(start - size, start), shape);
  });
}

/** A step down p * (p - target), the gradient of the oracle. */
function descent(
  { config, schedule, steps }: Pick<Case, 'config' | 'schedule' | 'steps'>,
  mode: ProgramMode,
): Program<'step'> {
  const parameters = tf.tidy(() => split(initial).map((value, i) => tf.variable(value, true, `parameter-${i}`)));
  const step = tf.tidy(() => tf.variable(tf.scalar(0), false, 'step'));
  const chosen = createOptimizer(config, parameters, 'optimizer');
  return compileProgram(
    {
      step: () => {
        const targets = split(target);
        const gradients = parameters.map((p, i) => tf.mul(p, tf.sub(p, targets[i]!)));
        chosen.apply(gradients, learningRateFactor(schedule, step, steps.length));
        step.assign(tf.add(step, 1));
        return Object.fromEntries(parameters.map((p, i) => [`parameter-${i}`, tf.clone(p)]));
      },
    },
    { mode },
  );
}

/**
 * How far float32 may lead from the oracle in `steps` steps: 1 - 0.999 has a relative error of 6e-5, its root, by which a step
 * of Adam is multiplied, half of that.
 */
const allowedError = (value: number, learningRate: number, steps: number): number =>
  1e-5 * Math.abs(value) + 5e-5 * learningRate * steps;

describe.each(['eager', 'graph', 'xla'] as const)('in mode %s', (mode) => {
  it.each(cases)('$config.kind with a $schedule rate takes the steps of the float64 oracle (%#)', (row) => {
    const program = descent(row, mode);
    for (const [t, expected] of row.steps.entries()) {
      const results = program.run('step');
      const actual = shapes.flatMap((_, i) => [...results[`parameter-${i}`]!.values]);
      expect(actual.length).toBe(expected.length);
      for (const [i, value] of expected.entries())
        expect(Math.abs(actual[i]! - value), `number ${i} after step ${t + 1}`).toBeLessThan(
          allowedError(value, row.config.learningRate, t + 1),
        );
    }
    program.dispose();
  });
});

describe('Adam', () => {
  it('adds epsilon to the root of the uncorrected second moment, as TensorFlow does, not as the paper’s Algorithm 1 prints it', () => {
    const row = cases.find(({ config }) => config.kind === 'adam' && config.epsilon === 0.1)!;
    const distance = Math.max(...row.steps.at(-1)!.map((value, i) => Math.abs(value - row.paperForm![i]!)));
    // The comparison above tells the two apart.
    expect(distance).toBeGreaterThan(100 * allowedError(1, row.config.learningRate, row.steps.length));
  });

  it('keeps its moments and powers in variables that carry its name', () => {
    const program = descent(cases[0]!, 'graph');
    for (let t = 0; t < 3; t++) program.run('step');
    const values = program.pull();
    expect([...values.keys()].sort()).toEqual([
      'optimizer/beta1-power',
      'optimizer/beta2-power',
      'optimizer/first-moment/parameter-0',
      'optimizer/first-moment/parameter-1',
      'optimizer/second-moment/parameter-0',
      'optimizer/second-moment/parameter-1',
      'parameter-0',
      'parameter-1',
      'step',
    ]);
    // One power more than steps: they are kept as the next step needs them.
    expect(values.get('optimizer/beta1-power')!.values[0]).toBeCloseTo(0.9 ** 4, 6);
    program.dispose();
  });

  it('applies without a rate factor as with the factor 1', () => {
    const [constant] = cases;
    const withFactor = descent(constant!, 'graph');
    const expected = withFactor.run('step');
    withFactor.dispose();
    const parameters = tf.tidy(() => split(initial).map((value, i) => tf.variable(value, true, `parameter-${i}`)));
    const chosen = createOptimizer(constant!.config, parameters, 'optimizer');
    const program = compileProgram(
      {
        step: () => {
          const targets = split(target);
          chosen.apply(parameters.map((p, i) => tf.mul(p, tf.sub(p, targets[i]!))));
          return Object.fromEntries(parameters.map((p, i) => [`parameter-${i}`, tf.clone(p)]));
        },
      },
      { mode: 'graph' },
    );
    expect(program.run('step')).toEqual(expected);
    program.dispose();
  });
});
