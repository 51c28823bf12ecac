import * as tf from '@tensorflow/tfjs';
import type { MutualInformationConfig } from '../../config/mutual-information';
import { RandomStreams } from '../../tensorflow/random';
import { readArrayPairs } from './array-pairs';
import { FixedPairs } from './fixed-pairs';
import { GaussianPairs } from './gaussian-pairs';
import { NonlinearPairs } from './nonlinear-pairs';
import type { PairDistribution, PairSource } from './pair-source';
import { UnlimitedPairs } from './unlimited-pairs';

/** The final read-out of unlimited pairs takes so many times the pairs of one during training. */
const FINAL_BLOCKS = 20;

/** The source of pairs that a configuration describes. A new kind is one file beside this one, its schema, and one case here. */
export async function createPairSource(config: MutualInformationConfig, folder: string): Promise<PairSource> {
  const { data, seed } = config;
  switch (data.kind) {
    case 'gaussian':
      return sampled(new GaussianPairs(data), data.examples, config);
    case 'nonlinear':
      return sampled(new NonlinearPairs(data), data.examples, config);
    case 'arrays':
      return readArrayPairs(data, folder, seed);
  }
}

function sampled(
  distribution: PairDistribution,
  examples: number | 'unlimited',
  { evaluation, seed }: MutualInformationConfig,
): PairSource {
  if (examples === 'unlimited') return new UnlimitedPairs(distribution, evaluation.samples, FINAL_BLOCKS);
  return new FixedPairs(
    distribution.draw(examples, new RandomStreams(seed, tf.scalar(0)), 'examples'),
    distribution.truth,
  );
}
