import type { PairDistribution, Pairs, PairSource } from './pair-source';
import type { RandomStreams } from '../../tensorflow/random';

/** Fresh pairs at every step and for every read-out: nothing can be overfitted. */
export class UnlimitedPairs implements PairSource {
  readonly dimensionX: number;
  readonly dimensionZ: number;
  readonly truth: number | null;

  constructor(
    private readonly distribution: PairDistribution,
    private readonly heldOutCount: number,
    readonly finalBlocks: number,
  ) {
    this.dimensionX = distribution.dimensionX;
    this.dimensionZ = distribution.dimensionZ;
    this.truth = distribution.truth;
  }

  batch(size: number, random: RandomStreams): ReturnType<PairSource['batch']> {
    return {
      ...this.distribution.draw(size, random, 'joint'),
      zMarginal: this.distribution.drawMarginal(size, random, 'marginal'),
    };
  }

  heldOut(random: RandomStreams): Pairs {
    return this.distribution.draw(this.heldOutCount, random, 'held-out');
  }
}
