import type { OptimizerConfig } from '../../../server/config/common';
import type { MutualInformationConfig } from '../../../server/config/mutual-information';
import {
  average,
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

/**
 * One iteration of an experiment in plain float64 with gradients by finite differences, written from the paper and not
 * from the code under test; the two share only the random numbers and the names of variables.
 */
export interface Iteration {
  readonly after: Map<string, Float64Array>;
  readonly metrics: Record<string, number>;
}

export const bounds = {
  mine: (joint: readonly number[], marginal: readonly number[]): number =>
    average(joint) - Math.log(average(marginal.map(Math.exp))),
  'mine-f': (joint: readonly number[], marginal: readonly number[]): number =>
    average(joint) - average(marginal.map((t) => Math.exp(t - 1))),
};

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
export function statisticsStep(
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

export function averageMeter(bound: 'mine' | 'mine-f', state: Values): Record<string, number> {
  return bound === 'mine' ? { 'statistics.logMovingAverage': state.get('statistics/log-moving-average')![0]! } : {};
}
