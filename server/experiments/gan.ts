import * as tf from '@tensorflow/tfjs';
import type { GanConfig } from '../config/gan';
import { Examples } from '../datasets/examples';
import { createPointTarget } from '../datasets/points/registry';
import { heldOutEntries, readOutHeldOut } from '../estimation/held-out-scores';
import { StatisticsNetwork } from '../estimation/statistics-network';
import { AveragedNetwork } from '../networks/averaged-network';
import { DenseNetwork } from '../networks/dense-network';
import { gradientsOf, globalNorm } from '../tensorflow/gradients';
import { learningRateFactor } from '../tensorflow/learning-rate';
import { createOptimizer } from '../tensorflow/optimizers';
import { compileProgram } from '../tensorflow/program';
import { RandomStreams } from '../tensorflow/random';
import { clipAdaptively } from './adaptive-clipping';
import { resolveMode } from './compile-mode';
import type { ExperimentContext, Training } from './experiment';
import { programTraining } from './program-training';

const REAL_POINTS_SHOWN = 2500;
/** The final read-out takes so many times the pairs of one during training. */
const FINAL_BLOCKS = 20;

/**
 * GAN with the MINE term (paper, section 5.2, equation 17): the generator's input is noise and code, and beside fooling the
 * discriminator it maximises beta * I(G([noise, code]); code), estimated by a statistics network T. The order of updates
 * is ours; the paper gives none.
 */
export function prepareGan(config: GanConfig, context: ExperimentContext): Training {
  const { seed, training, mutualInformation, evaluation } = config;
  const { batchSize } = training;
  const { noiseDimension, codeDimension } = config.generator;
  const target = createPointTarget(config.data);

  context.onPreparing(`drawing ${config.data.examples} points`);
  const examples = new Examples('points', target.draw(config.data.examples, new RandomStreams(seed, tf.scalar(0))));

  const G = new DenseNetwork({
    ...config.generator,
    name: 'generator',
    inputs: noiseDimension + codeDimension,
    outputs: 2,
    activation: 'leaky-relu',
    seed,
  });
  const D = new DenseNetwork({
    ...config.discriminator,
    name: 'discriminator',
    inputs: 2,
    outputs: 1,
    activation: 'leaky-relu',
    seed,
  });
  const T = new StatisticsNetwork(
    { ...config.statisticsNetwork, inputs: 2 + codeDimension, activation: 'leaky-relu', seed },
    mutualInformation,
    training.statisticsNetworkOptimizer ?? training.optimizer,
  );
  const sampler = new AveragedNetwork(G, config.generator.weightAveraging);
  const generatorOptimizer = createOptimizer(training.optimizer, G.variables, 'generator-optimizer');
  const discriminatorOptimizer = createOptimizer(
    training.discriminatorOptimizer ?? training.optimizer,
    D.variables,
    'discriminator-optimizer',
  );

  const step = tf.variable(tf.scalar(0), false, 'step');
  const clippedSteps = tf.variable(tf.scalar(0), false, 'clipped-steps');
  const random = new RandomStreams(seed, step);
  const fixed = new RandomStreams(seed, tf.scalar(0));

  /** A draw of the prior, split into the code and the generator's whole input [noise, code]. */
  const prior = (streams: RandomStreams, count: number, stream: string): { input: tf.Tensor; code: tf.Tensor } => {
    const draw = (dimension: number, part: string): tf.Tensor =>
      config.generator.prior === 'normal'
        ? streams.normal([count, dimension], `${stream}/${part}`)
        : tf.sub(tf.mul(streams.uniform([count, dimension], `${stream}/${part}`), 2), 1);
    const code =
      config.generator.code === 'categorical'
        ? tf.cast(
            tf.equal(
              tf.expandDims(streams.integers([count], codeDimension, `${stream}/code`), 1),
              tf.range(0, codeDimension, 1, 'int32'),
            ),
            'float32',
          )
        : draw(codeDimension, 'code');
    return { code, input: noiseDimension === 0 ? code : tf.concat([draw(noiseDimension, 'noise'), code], 1) };
  };
  const marginalCode = (stream: string): tf.Tensor => prior(random, batchSize, `${stream}/marginal`).code;

  const train = (): Record<string, tf.Tensor> => {
    const rate = learningRateFactor(training.learningRateSchedule, step, training.iterations);

    // D ascends E[log D(x)] + E[log(1 - D(G(z)))]  (equation 16), as logits: -log sigmoid(t) = softplus(-t).
    let discriminatorLoss = tf.scalar(0);
    let fake = { points: tf.zeros([0, 2]), code: tf.zeros([0, 0]) };
    for (let k = 0; k < training.discriminatorSteps; k++) {
      const drawn = prior(random, batchSize, `discriminator-${k}`);
      fake = { points: G.apply(drawn.input, 'train-without-averages'), code: drawn.code };
      const real = examples.batch(batchSize, random, `real-${k}`);
      const { value, gradients } = gradientsOf(
        () => tf.add(tf.mean(tf.softplus(tf.neg(D.apply(real)))), tf.mean(tf.softplus(D.apply(fake.points)))),
        D.variables,
      );
      discriminatorOptimizer.apply(gradients, rate);
      discriminatorLoss = value;
    }

    // T ascends the bound on I(G([noise, code]); code)  (Algorithm 1); fresh codes are exact samples of the marginal.
    let bound = tf.scalar(0);
    for (let k = 0; k < training.statisticsNetworkSteps; k++) {
      if (k > 0) {
        const drawn = prior(random, batchSize, `statistics-${k}`);
        fake = { points: G.apply(drawn.input, 'train-without-averages'), code: drawn.code };
      }
      bound = T.train(fake.points, fake.code, marginalCode(`statistics-${k}`), rate);
    }

    // G: both gradients from the same batch and the current D, T and G  (equation 21).
    const { input, code } = prior(random, batchSize, 'generator');
    const marginal = marginalCode('generator');
    const adversarial = gradientsOf(() => tf.mean(tf.softplus(tf.neg(D.apply(G.apply(input, 'train'))))), G.variables);
    const information = gradientsOf(
      () => tf.neg(T.value(G.apply(input, 'train-without-averages'), code, marginal)),
      G.variables,
    );
    const clipping = clipAdaptively(
      globalNorm(adversarial.gradients),
      globalNorm(information.gradients),
      mutualInformation.clipping,
    );
    const scale = tf.mul(clipping.factor, mutualInformation.weight);
    const combined = adversarial.gradients.map((gradient, i) =>
      tf.add(gradient, tf.mul(scale, information.gradients[i]!)),
    );
    generatorOptimizer.apply(combined, rate);
    sampler.follow(step);

    step.assign(tf.add(step, 1));
    clippedSteps.assign(tf.add(clippedSteps, clipping.clipped));
    return {
      mutualInformation: bound,
      'loss.discriminator': discriminatorLoss,
      'loss.generator': adversarial.value,
      'gradientNorm.adversarial': clipping.adversarialNorm,
      'gradientNorm.mutualInformation': clipping.informationNorm,
      ratio: clipping.ratio,
      clippedShare: tf.div(clippedSteps, step),
      ...T.bound.meters(),
    };
  };

  const mode = resolveMode(config.execution.compile);
  const program = compileProgram(
    {
      train,
      sample: {
        mode: 'graph',
        body: () => ({ points: sampler.apply(prior(fixed, evaluation.samples, 'fixed').input) }),
      },
      real: {
        mode: 'graph',
        body: () => ({ points: examples.at(tf.range(0, Math.min(REAL_POINTS_SHOWN, examples.count), 1, 'int32')) }),
      },
      ...heldOutEntries(
        {
          pairs: (streams) => {
            const { input, code } = prior(streams, evaluation.heldOutSamples, 'held-out');
            return { x: G.apply(input, 'evaluate'), z: code };
          },
          score: (x, z) => T.score(x, z),
        },
        random,
      ),
    },
    { mode, onStage: context.onPreparing },
  );
  const { permutations } = evaluation;
  const real = program.run('real').points!.values as Float32Array;
  const measure = (): { points: Float32Array; metrics: Record<string, number> } => {
    const points = program.run('sample').points!.values as Float32Array;
    return { points, metrics: { ...target.measure(points) } };
  };

  return programTraining(program, {
    mode,
    best: target.best,
    iterations: training.iterations,
    evaluateEvery: evaluation.every,
    evaluationMetricNames: ['mutualInformation.heldOut', 'mutualInformation.heldOutError', ...target.metricNames],
    headline: [
      { metric: 'mutualInformation.heldOut', label: 'I', digits: 2 },
      { metric: 'ratio', label: 'ratio', digits: 2 },
      { metric: 'clippedShare', label: 'clipped', digits: 2 },
      ...target.headline,
    ],
    evaluate: () => {
      const { points, metrics } = measure();
      const { estimate, standardError } = readOutHeldOut(program, T.bound, { permutations, firstDraw: 0, draws: 1 });
      return {
        metrics: { 'mutualInformation.heldOut': estimate, 'mutualInformation.heldOutError': standardError, ...metrics },
        samples: { kind: 'points', generated: points, dimension: 2, real },
      };
    },
    readOut: () => {
      const { estimate, interval } = readOutHeldOut(program, T.bound, {
        permutations,
        firstDraw: 1,
        draws: FINAL_BLOCKS,
      });
      return {
        estimate,
        interval,
        unit: 'nats',
        truth: null,
        warnings: [
          'The estimate is a lower bound on I(G([noise, code]); code) from held-out samples; its interval covers sampling error only, not the gap to the truth.',
          ...(noiseDimension === 0 && config.generator.code === 'continuous'
            ? [
                'Without noise the generator is a deterministic map of the code: I(G(code); code) is infinite, and the estimate shows only what this statistics network can resolve.',
              ]
            : []),
          ...(estimate < 0
            ? [
                'The held-out bound fell below zero: the statistics network over-fits or lags behind the generator; the truth is not negative.',
              ]
            : []),
        ],
        metrics: measure().metrics,
      };
    },
  });
}
