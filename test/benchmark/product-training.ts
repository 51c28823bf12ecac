import { experimentConfig, type ExperimentConfig } from '../../server/config/experiment-config';
import type { ExecutionConfig } from '../../server/config/common';
import { prepareExperiment } from '../../server/experiments/registry';
import type { GanStep, MutualInformationStep } from './steps';

/** Trains `iterations` steps; the metrics of the last one. */
export type RunSteps = (iterations: number) => Promise<Record<string, number>>;

/** A step as the product trains it: the experiment's own code from a configuration of these sizes. */
export async function productTraining(
  step: MutualInformationStep | GanStep,
  compile: ExecutionConfig['compile'],
  singleCalls: boolean,
): Promise<RunSteps> {
  const training = await prepareExperiment(configuration(step, compile), {
    folder: process.cwd(),
    onPreparing: () => undefined,
  });
  return async (iterations) => {
    let rows: Float32Array = new Float32Array(0);
    if (singleCalls) for (let i = 0; i < iterations; i++) rows = await training.advance(1);
    else rows = await training.advance(iterations);
    const last = rows.subarray(rows.length - training.metricNames.length);
    return Object.fromEntries(training.metricNames.map((name, i) => [name, last[i]!]));
  };
}

function configuration(step: MutualInformationStep | GanStep, compile: ExecutionConfig['compile']): ExperimentConfig {
  const { batchSize, movingAverageRate, learningRate, beta1 } = step;
  const shared = {
    execution: { device: 'cpu', compile },
    training: { iterations: 1_000_000, batchSize, optimizer: { kind: 'adam', learningRate, beta1 } },
  };
  if (step.kind === 'mutual-information') {
    const { dimension, correlation, hidden } = step;
    return experimentConfig.parse({
      ...shared,
      experiment: 'mutual-information',
      data: { kind: 'gaussian', dimension, correlation, examples: 'unlimited' },
      statisticsNetwork: { hidden, activation: 'relu' },
      mutualInformation: { bound: 'mine', movingAverageRate },
    });
  }
  const { examples, side, spacing, standardDeviation, leakiness, noiseDimension, codeDimension } = step;
  return experimentConfig.parse({
    ...shared,
    experiment: 'gan',
    data: { kind: 'gaussian-grid', examples, side, spacing, standardDeviation },
    generator: {
      hidden: step.generatorHidden,
      noiseDimension,
      codeDimension,
      prior: 'normal',
      batchNormalization: true,
      leakiness,
    },
    discriminator: { hidden: step.discriminatorHidden, leakiness },
    statisticsNetwork: { hidden: step.statisticsNetworkHidden, leakiness },
    mutualInformation: {
      weight: step.mutualInformationWeight,
      bound: 'mine',
      movingAverageRate,
      clipping: 'adaptive',
    },
  });
}
