import * as tf from '@tensorflow/tfjs';
import { type GanConfig, ganConfig } from '../../../server/config/gan';
import { createPointTarget } from '../../../server/datasets/points/registry';
import type { Metrics, Training } from '../../../server/experiments/experiment';
import { prepareGan } from '../../../server/experiments/gan';
import type { ProgramMode, VariableValue } from '../../../server/tensorflow/program';
import { RandomStreams } from '../../../server/tensorflow/random';
import type { Matrix } from './float64-networks';

export const SGD = { kind: 'sgd', learningRate: 0.1 } as const;

export interface Changes {
  readonly data?: object;
  readonly generator?: object;
  readonly training?: object;
  readonly mutualInformation?: object;
  readonly evaluation?: object;
}

/** A GAN small enough for finite differences. */
export function tiny(changes: Changes = {}, mode: ProgramMode = 'eager'): GanConfig {
  return ganConfig.parse({
    experiment: 'gan',
    seed: 3,
    data: { kind: 'gaussian-grid', examples: 100, ...changes.data },
    generator: { hidden: [5], ...changes.generator },
    discriminator: { hidden: [5] },
    statisticsNetwork: { hidden: [5] },
    training: { batchSize: 8, iterations: 50, optimizer: SGD, ...changes.training },
    mutualInformation: { ...changes.mutualInformation },
    evaluation: { samples: 100, heldOutSamples: 100, ...changes.evaluation },
    execution: { compile: mode },
  });
}

export function prepare(config: GanConfig): Training {
  return prepareGan(config, { folder: '.', onPreparing: () => undefined });
}

/** One more iteration; its metrics by name. */
export async function advanceOne(training: Training): Promise<Metrics> {
  const row = await training.advance(1);
  return Object.fromEntries(training.metricNames.map((name, i) => [name, row[i]!]));
}

/** Makes T steep, so that the gradient of the mutual information is the larger of the two. */
export function steepenStatistics(training: Training, by = 4): void {
  training.push(
    new Map(
      [...training.pull()].map(([name, { shape, values }]): [string, VariableValue] => [
        name,
        { shape, values: /^statistics\/.*kernel/.test(name) ? values.map((v) => v * by) : values },
      ]),
    ),
  );
}

export function pointsOf(config: GanConfig): Matrix {
  return tf.tidy(
    () =>
      createPointTarget(config.data)
        .draw(config.data.examples, new RandomStreams(config.seed, tf.scalar(0)))
        .arraySync() as number[][],
  );
}
