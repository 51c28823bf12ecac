import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadEngineForTests } from '../native-engine';
import { changedNames } from './expect-update';
import { ganForms } from './float64-gan';
import { float64, parameterNames } from './float64-networks';
import { advanceOne, prepare, SGD, steepenStatistics, tiny } from './tiny-gan';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

/** So small that a float32 does not see it. */
const NO_STEP = { kind: 'sgd', learningRate: 1e-50 } as const;

/** A bias before batch normalisation is taken out again with the mean: only rounding moves it. */
const hasGradient = (name: string): boolean => name !== 'generator/dense-1/bias';

describe('adaptive gradient clipping', () => {
  it('touches the generator only: D and T move the same with clipping on, off, and without the MI term', async () => {
    const finals = [];
    for (const mutualInformation of [{}, { clipping: 'none' }, { weight: 0 }]) {
      const training = prepare(tiny({ mutualInformation }));
      steepenStatistics(training);
      expect((await advanceOne(training))['ratio']).toBeGreaterThan(1);
      finals.push(training.pull());
      training.dispose();
      tf.disposeVariables();
    }
    const [clipped, unclipped, plain] = finals as [(typeof finals)[0], (typeof finals)[0], (typeof finals)[0]];
    const generator = parameterNames(ganForms(tiny()).G).filter(hasGradient);
    for (const other of [unclipped, plain]) {
      expect(changedNames(clipped, other).filter(hasGradient)).toEqual(generator.sort());
    }
  });

  it('never lets the MI term move the generator further than the adversarial term alone', async () => {
    const displacement = async (mutualInformation: object): Promise<Map<string, Float64Array>> => {
      const training = prepare(tiny({ mutualInformation }));
      steepenStatistics(training, 20);
      const before = float64(training.pull());
      await training.advance(1);
      const after = float64(training.pull());
      training.dispose();
      tf.disposeVariables();
      const names = parameterNames(ganForms(tiny()).G);
      return new Map(names.map((name) => [name, after.get(name)!.map((v, i) => v - before.get(name)![i]!)]));
    };
    const plain = await displacement({ weight: 0 });
    const length = (moves: ReadonlyMap<string, Float64Array>): number =>
      Math.hypot(...[...moves.values()].flatMap((move) => [...move]));
    const ofInformation = async (clipping: string): Promise<number> => {
      const both = await displacement({ clipping });
      return length(new Map([...both].map(([name, move]) => [name, move.map((v, i) => v - plain.get(name)![i]!)])));
    };
    expect((await ofInformation('adaptive')) / length(plain)).toBeCloseTo(1, 4);
    expect((await ofInformation('none')) / length(plain)).toBeGreaterThan(5);
  });
});

describe('each optimiser owns one network', () => {
  const config = tiny();
  const { G, D, T } = ganForms(config);
  // What every iteration moves, whoever trains: the counter, G's running statistics, T's moving average.
  const always = [
    'generator/dense-1/batch-normalization/running-mean',
    'generator/dense-1/batch-normalization/running-variance',
    'statistics/log-moving-average',
    'step',
  ];
  const cases = [
    {
      trained: 'G',
      form: G,
      optimizers: { optimizer: SGD, discriminatorOptimizer: NO_STEP, statisticsNetworkOptimizer: NO_STEP },
    },
    { trained: 'D', form: D, optimizers: { optimizer: NO_STEP, discriminatorOptimizer: SGD } },
    { trained: 'T', form: T, optimizers: { optimizer: NO_STEP, statisticsNetworkOptimizer: SGD } },
  ];

  it.each(cases)(
    "with $trained's learning rate only, exactly the parameters of $trained change",
    async ({ form, optimizers }) => {
      const training = prepare(tiny({ training: optimizers }));
      const before = training.pull();
      await training.advance(5);
      const changed = changedNames(before, training.pull()).filter((name) => name !== 'clipped-steps');
      expect(changed.filter(hasGradient)).toEqual([...parameterNames(form), ...always].filter(hasGradient).sort());
      training.dispose();
    },
  );
});
