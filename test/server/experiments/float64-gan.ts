import type { GanConfig } from '../../../server/config/gan';
import type { Draws } from './draws';
import {
  average,
  batchMoments,
  beside,
  column,
  gradient,
  type Matrix,
  type NetworkForm,
  outputs,
  parameterNames,
  type Values,
} from './float64-networks';
import { descend, rateFactor } from './float64-optimizers';
import { averageMeter, bounds, type Iteration, statisticsStep } from './float64-statistics';

export function ganForms(config: GanConfig): Record<'G' | 'D' | 'T', NetworkForm> {
  const { generator, discriminator, statisticsNetwork } = config;
  const { noiseDimension, codeDimension } = generator;
  const activation = 'leaky-relu';
  return {
    G: {
      ...generator,
      name: 'generator',
      widths: [noiseDimension + codeDimension, ...generator.hidden, 2],
      activation,
    },
    D: {
      ...discriminator,
      name: 'discriminator',
      widths: [2, ...discriminator.hidden, 1],
      activation,
      batchNormalization: false,
    },
    T: {
      ...statisticsNetwork,
      name: 'statistics',
      widths: [2 + codeDimension, ...statisticsNetwork.hidden, 1],
      activation,
      batchNormalization: false,
    },
  };
}

/** The prior's code, and the generator's input [noise, code]. */
export function prior(config: GanConfig, draws: Draws, count: number, stream: string): { input: Matrix; code: Matrix } {
  const { noiseDimension, codeDimension } = config.generator;
  const draw = (dimension: number, part: string): Matrix =>
    config.generator.prior === 'normal'
      ? draws.normal(count, dimension, `${stream}/${part}`)
      : draws.uniform(count, dimension, `${stream}/${part}`).map((row) => row.map((u) => 2 * u - 1));
  const code =
    config.generator.code === 'categorical'
      ? draws
          .integers(count, codeDimension, `${stream}/code`)
          .map((value) => Array.from({ length: codeDimension }, (_, k) => (k === value ? 1 : 0)))
      : draw(codeDimension, 'code');
  return { code, input: noiseDimension === 0 ? code : beside(draw(noiseDimension, 'noise'), code) };
}

/** D, then T, then G; see `Iteration`. `points` are the training examples. */
export function ganIteration(config: GanConfig, before: Values, points: Matrix, draws: Draws): Iteration {
  const { training, mutualInformation } = config;
  const { batchSize } = training;
  const { G, D, T } = ganForms(config);
  const state = new Map(before);
  const step = state.get('step')![0]!;
  const rate = rateFactor(training.learningRateSchedule, step / training.iterations);
  const softplus = (t: number): number => Math.log1p(Math.exp(t));
  const marginalCode = (stream: string): Matrix => prior(config, draws, batchSize, `${stream}/marginal`).code;

  let lossOfD = NaN;
  let fake: { points: Matrix; code: Matrix } = { points: [], code: [] };
  for (let k = 0; k < training.discriminatorSteps; k++) {
    const { input, code } = prior(config, draws, batchSize, `discriminator-${k}`);
    fake = { points: outputs(G, state, input), code };
    const real = draws.integers(batchSize, points.length, `real-${k}`).map((row) => points[row]!);
    // -log D(x) - log(1 - D(G(z))), D the sigmoid of a logit.
    const loss = (values: Values): number =>
      average(column(outputs(D, values, real)).map((t) => -Math.log(1 / (1 + Math.exp(-t))))) +
      average(column(outputs(D, values, fake.points)).map((t) => -Math.log(1 - 1 / (1 + Math.exp(-t)))));
    lossOfD = loss(state);
    const optimizer = training.discriminatorOptimizer ?? training.optimizer;
    descend(optimizer, 'discriminator-optimizer', state, gradient(loss, state, parameterNames(D)), rate);
  }

  let bound = NaN;
  for (let k = 0; k < training.statisticsNetworkSteps; k++) {
    if (k > 0) {
      const { input, code } = prior(config, draws, batchSize, `statistics-${k}`);
      fake = { points: outputs(G, state, input), code };
    }
    const pairs = {
      joint: beside(fake.points, fake.code),
      marginal: beside(fake.points, marginalCode(`statistics-${k}`)),
    };
    bound = statisticsStep(
      T,
      mutualInformation,
      training.statisticsNetworkOptimizer ?? training.optimizer,
      state,
      pairs,
      rate,
    );
  }

  // Both gradients of the generator: fresh batch, the D and T just updated, the G that has not been.
  const { input, code } = prior(config, draws, batchSize, 'generator');
  const marginal = marginalCode('generator');
  const adversarialLoss = (values: Values): number =>
    average(column(outputs(D, values, outputs(G, values, input))).map((t) => softplus(-t)));
  const information = (values: Values): number => {
    const x = outputs(G, values, input);
    const [joint, independent] = [code, marginal].map((z) => column(outputs(T, values, beside(x, z))));
    return bounds[mutualInformation.bound](joint!, independent!);
  };
  const adversarialGradient = gradient(adversarialLoss, state, parameterNames(G));
  const informationGradient = gradient((values) => -information(values), state, parameterNames(G));
  const [adversarialNorm, informationNorm] = [adversarialGradient, informationGradient].map(norm) as [number, number];
  const factor =
    mutualInformation.clipping === 'adaptive' ? Math.min(adversarialNorm, informationNorm) / informationNorm : 1;
  const lossOfG = adversarialLoss(state);
  const moments = batchMoments(G, state, input);
  const combined = new Map(
    [...adversarialGradient].map(([name, g]) => [
      name,
      g.map((v, i) => v + mutualInformation.weight * factor * informationGradient.get(name)![i]!),
    ]),
  );
  descend(training.optimizer, 'generator-optimizer', state, combined, rate);
  for (const { layer, mean, variance } of moments) {
    const move = (name: string, target: number[]): void => {
      state.set(
        name,
        state.get(name)!.map((old, i) => 0.9 * old + 0.1 * target[i]!),
      );
    };
    move(`${layer}/running-mean`, mean);
    move(`${layer}/running-variance`, variance);
  }
  if (config.generator.weightAveraging > 0) {
    const decay = Math.min(config.generator.weightAveraging, (step + 1) / (step + 10));
    for (const name of parameterNames(G)) {
      const averaged = name.replace('generator', 'generator-average');
      state.set(
        averaged,
        state.get(averaged)!.map((old, i) => decay * old + (1 - decay) * state.get(name)![i]!),
      );
    }
  }

  const clipped = state.get('clipped-steps')![0]! + (informationNorm > adversarialNorm ? 1 : 0);
  state.set('clipped-steps', Float64Array.of(clipped)).set('step', Float64Array.of(step + 1));
  return {
    after: state,
    metrics: {
      mutualInformation: bound,
      'loss.discriminator': lossOfD,
      'loss.generator': lossOfG,
      'gradientNorm.adversarial': adversarialNorm,
      'gradientNorm.mutualInformation': informationNorm,
      ratio: informationNorm / adversarialNorm,
      clippedShare: clipped / (step + 1),
      ...averageMeter(mutualInformation.bound, state),
    },
  };
}

function norm(gradients: ReadonlyMap<string, Float64Array>): number {
  return Math.hypot(...[...gradients.values()].flatMap((g) => [...g]));
}
