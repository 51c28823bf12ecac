import * as tf from '@tensorflow/tfjs';
import type { OptimizerConfig } from '../../../server/config/common';
import type { GanConfig } from '../../../server/config/gan';
import type { MutualInformationConfig } from '../../../server/config/mutual-information';
import { RandomStreams } from '../../../server/tensorflow/random';
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

/**
 * One iteration of each experiment in plain float64 with gradients by finite differences, written from the paper and not
 * from the code under test; the two share only the random numbers and the names of variables.
 */
interface Iteration {
  readonly after: Map<string, Float64Array>;
  readonly metrics: Record<string, number>;
}

/** The random numbers of one step. */
export class Draws {
  private readonly streams: RandomStreams;

  constructor(seed: number, step: number, draw?: number) {
    const streams = new RandomStreams(seed, tf.scalar(step));
    this.streams = draw === undefined ? streams : streams.fold(tf.scalar(draw, 'int32'));
  }

  normal(rows: number, columns: number, stream: string): Matrix {
    return tf.tidy(() => this.streams.normal([rows, columns], stream).arraySync() as number[][]);
  }

  uniform(rows: number, columns: number, stream: string): Matrix {
    return tf.tidy(() => this.streams.uniform([rows, columns], stream).arraySync() as number[][]);
  }

  integers(count: number, limit: number, stream: string): number[] {
    return tf.tidy(() => this.streams.integers([count], limit, stream).arraySync() as number[]);
  }
}

export const bounds = {
  mine: (joint: readonly number[], marginal: readonly number[]): number =>
    average(joint) - Math.log(average(marginal.map(Math.exp))),
  'mine-f': (joint: readonly number[], marginal: readonly number[]): number =>
    average(joint) - average(marginal.map((t) => Math.exp(t - 1))),
};

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
  const code = draw(codeDimension, 'code');
  return { code, input: noiseDimension === 0 ? code : beside(draw(noiseDimension, 'noise'), code) };
}

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

export interface PairBatch {
  readonly x: Matrix;
  readonly z: Matrix;
  readonly zMarginal: Matrix;
}

export function statisticsForm(config: MutualInformationConfig, inputs: number): NetworkForm {
  const { hidden, activation } = config.statisticsNetwork;
  return { name: 'statistics', widths: [inputs, ...hidden, 1], activation, leakiness: 0.2, batchNormalization: false };
}

export function mutualInformationIteration(
  config: MutualInformationConfig,
  before: Values,
  batch: PairBatch,
): Iteration {
  const { training, mutualInformation } = config;
  const state = new Map(before);
  const step = state.get('step')![0]!;
  const T = statisticsForm(config, batch.x[0]!.length + batch.z[0]!.length);
  const rate = rateFactor(training.learningRateSchedule, step / training.iterations);
  const pairs = { joint: beside(batch.x, batch.z), marginal: beside(batch.x, batch.zMarginal) };
  const bound = statisticsStep(T, mutualInformation, training.optimizer, state, pairs, rate);
  const old = state.get('smoothed-bound')![0]!;
  const smoothed = old + (bound - old) / Math.min(step + 1, 200);
  state.set('smoothed-bound', Float64Array.of(smoothed)).set('step', Float64Array.of(step + 1));
  return {
    after: state,
    metrics: {
      mutualInformation: bound,
      'mutualInformation.smoothed': smoothed,
      ...averageMeter(mutualInformation.bound, state),
    },
  };
}

/** Algorithm 1: one ascent step of T with the corrected gradient; returns the bound before it. */
function statisticsStep(
  T: NetworkForm,
  { bound, movingAverageRate }: { bound: 'mine' | 'mine-f'; movingAverageRate: number },
  optimizer: OptimizerConfig,
  state: Map<string, Float64Array>,
  pairs: { joint: Matrix; marginal: Matrix },
  rate: number,
): number {
  const names = parameterNames(T);
  const scores = (values: Values, which: 'joint' | 'marginal'): number[] => column(outputs(T, values, pairs[which]));
  const value = bounds[bound](scores(state, 'joint'), scores(state, 'marginal'));
  if (bound === 'mine-f') {
    const loss = (values: Values): number => -bounds['mine-f'](scores(values, 'joint'), scores(values, 'marginal'));
    descend(optimizer, 'statistics-optimizer', state, gradient(loss, state, names), rate);
    return value;
  }
  const meanExponential = (values: Values): number => average(scores(values, 'marginal').map(Math.exp));
  const logAverage = state.get('statistics/log-moving-average')![0]!;
  const started = logAverage > -1e30;
  const fresh = meanExponential(state);
  const m = started ? (1 - movingAverageRate) * Math.exp(logAverage) + movingAverageRate * fresh : fresh;
  state.set('statistics/log-moving-average', Float64Array.of(Math.log(m)));
  // E_J[grad T] - E_M[e^T grad T] / m, and E_M[e^T grad T] is the gradient of E_M[e^T].
  const jointGradient = gradient((values) => average(scores(values, 'joint')), state, names);
  const marginalGradient = gradient(meanExponential, state, names);
  const ascent = new Map(
    [...jointGradient].map(([name, g]) => [name, g.map((v, i) => marginalGradient.get(name)![i]! / m - v)]),
  );
  descend(optimizer, 'statistics-optimizer', state, ascent, rate);
  return value;
}

function averageMeter(bound: 'mine' | 'mine-f', state: Values): Record<string, number> {
  return bound === 'mine' ? { 'statistics.logMovingAverage': state.get('statistics/log-moving-average')![0]! } : {};
}

function rateFactor(schedule: 'constant' | 'linear' | 'cosine', progress: number): number {
  return { constant: 1, linear: 1 - progress, cosine: (1 + Math.cos(Math.PI * progress)) / 2 }[schedule];
}

function norm(gradients: ReadonlyMap<string, Float64Array>): number {
  return Math.hypot(...[...gradients.values()].flatMap((g) => [...g]));
}

function descend(
  config: OptimizerConfig,
  name: string,
  state: Map<string, Float64Array>,
  gradients: ReadonlyMap<string, Float64Array>,
  rate: number,
): void {
  const learningRate = config.learningRate * rate;
  for (const [variable, g] of gradients) {
    const old = state.get(variable)!;
    if (config.kind === 'sgd') {
      state.set(
        variable,
        old.map((v, i) => v - learningRate * g[i]!),
      );
      continue;
    }
    const [power1, power2] = ['beta1', 'beta2'].map((beta) => state.get(`${name}/${beta}-power`)![0]!) as [
      number,
      number,
    ];
    const [first, second] = ['first', 'second'].map((moment) => `${name}/${moment}-moment/${variable}`) as [
      string,
      string,
    ];
    const m = state.get(first)!.map((v, i) => config.beta1 * v + (1 - config.beta1) * g[i]!);
    const v = state.get(second)!.map((u, i) => config.beta2 * u + (1 - config.beta2) * g[i]! ** 2);
    state.set(first, m).set(second, v);
    const corrected = (i: number): number =>
      m[i]! / (1 - power1) / (Math.sqrt(v[i]! / (1 - power2)) + config.epsilon / Math.sqrt(1 - power2));
    state.set(
      variable,
      old.map((w, i) => w - learningRate * corrected(i)),
    );
  }
  if (config.kind === 'adam') {
    for (const beta of ['beta1', 'beta2'] as const) {
      const power = `${name}/${beta}-power`;
      state.set(
        power,
        state.get(power)!.map((p) => p * config[beta]),
      );
    }
  }
}
