import * as tf from '@tensorflow/tfjs';
import type { MutualInformationConfig } from '../config/mutual-information';
import { createPairSource } from '../datasets/pairs/registry';
import { heldOutEntries, readOutHeldOut } from '../estimation/held-out-scores';
import { StatisticsNetwork } from '../estimation/statistics-network';
import { learningRateFactor } from '../tensorflow/learning-rate';
import { compileProgram } from '../tensorflow/program';
import { RandomStreams } from '../tensorflow/random';
import { resolveMode } from './compile-mode';
import type { ExperimentContext, Training } from './experiment';
import { programTraining } from './program-training';

// Training values are averaged over about this many steps before they are compared with held-out ones.
const SMOOTHING_STEPS = 200;
/** A training bound this far above the held-out one, in held-out standard errors and in nats, is called overfitting. */
const OVERFITTING = { standardErrors: 4, nats: 0.1 };

/** Mutual Information Neural Estimation of pairs (paper, Algorithm 1 and section 5.1). */
export async function prepareMutualInformation(
  config: MutualInformationConfig,
  context: ExperimentContext,
): Promise<Training> {
  const { seed, training, evaluation } = config;
  context.onPreparing('preparing the pairs');
  const source = await createPairSource(config, context.folder);
  const T = new StatisticsNetwork(
    { ...config.statisticsNetwork, inputs: source.dimensionX + source.dimensionZ, seed },
    config.mutualInformation,
    training.optimizer,
  );
  const step = tf.variable(tf.scalar(0), false, 'step');
  const smoothed = tf.variable(tf.scalar(0), false, 'smoothed-bound');
  const random = new RandomStreams(seed, step);

  // Algorithm 1: draw a joint and a marginal batch, ascend the bias-corrected gradient of the bound.
  const train = (): Record<string, tf.Tensor> => {
    const { x, z, zMarginal } = source.batch(training.batchSize, random);
    const rate = learningRateFactor(training.learningRateSchedule, step, training.iterations);
    const bound = T.train(x, z, zMarginal, rate);
    // The plain mean of the first steps, then a moving average.
    const weight = tf.div(1, tf.minimum(tf.add(step, 1), SMOOTHING_STEPS));
    smoothed.assign(tf.add(smoothed, tf.mul(tf.sub(bound, smoothed), weight)));
    step.assign(tf.add(step, 1));
    return { mutualInformation: bound, 'mutualInformation.smoothed': tf.clone(smoothed), ...T.bound.meters() };
  };

  const mode = resolveMode(config.execution.compile);
  const program = compileProgram(
    {
      train,
      ...heldOutEntries({ pairs: (streams) => source.heldOut(streams), score: (x, z) => T.score(x, z) }, random),
    },
    { mode, onStage: context.onPreparing },
  );
  const { permutations } = evaluation;

  return programTraining(program, {
    mode,
    best: { metric: 'mutualInformation.heldOut', better: 'higher' },
    iterations: training.iterations,
    evaluateEvery: evaluation.every,
    evaluationMetricNames: [
      'mutualInformation.heldOut',
      'mutualInformation.heldOutError',
      ...(source.truth === null ? [] : ['mutualInformation.truth']),
    ],
    headline: [
      { metric: 'mutualInformation.heldOut', label: 'I', digits: 3 },
      { metric: 'mutualInformation.smoothed', label: 'training', digits: 3 },
      ...(source.truth === null ? [] : [{ metric: 'mutualInformation.truth', label: 'truth', digits: 3 }]),
    ],
    evaluate: () => {
      const { estimate, standardError } = readOutHeldOut(program, T.bound, { permutations, firstDraw: 0, draws: 1 });
      return {
        metrics: {
          'mutualInformation.heldOut': estimate,
          'mutualInformation.heldOutError': standardError,
          ...(source.truth === null ? {} : { 'mutualInformation.truth': source.truth }),
        },
      };
    },
    readOut: () => {
      const heldOut = readOutHeldOut(program, T.bound, { permutations, firstDraw: 1, draws: source.finalBlocks });
      const trained = program.pull().get('smoothed-bound')!.values[0]!;
      return {
        estimate: heldOut.estimate,
        interval: heldOut.interval,
        unit: 'nats',
        truth: source.truth,
        warnings: warningsFor(heldOut.estimate, heldOut.standardError, trained),
        metrics: { 'mutualInformation.smoothed': trained },
      };
    },
  });
}

function warningsFor(estimate: number, standardError: number, trained: number): string[] {
  const gap = trained - estimate;
  const overfitted = gap > OVERFITTING.standardErrors * standardError && gap > OVERFITTING.nats;
  return [
    'The interval covers sampling error only: the held-out bound is a lower bound, and the truth may lie above it.',
    ...(overfitted
      ? [
          `The statistics network over-fits: ${trained.toFixed(2)} nats on training pairs, ${estimate.toFixed(2)} on held-out pairs. Use more data, a smaller network or fewer iterations.`,
        ]
      : []),
    ...(estimate < 0
      ? ['The held-out bound fell below zero: the statistics network over-fits or diverges; the truth is not negative.']
      : []),
  ];
}
