import type { Bound, PartitionTerm } from './bounds/bound';

/** Outputs of a statistics network on one block of held-out pairs; pairs are shifted against each other within a block. */
export interface HeldOutScores {
  /** T(x_i, z_i), `[count]`. */
  readonly joint: ArrayLike<number>;
  /** One entry per shift s: T(x_i, z_(i+s mod count)), `[count]`. A shift is never 0: no index is paired with itself. */
  readonly marginal: readonly { readonly shift: number; readonly scores: ArrayLike<number> }[];
}

export interface HeldOutEstimate {
  /** The bound on all held-out pairs at once, in nats. */
  readonly estimate: number;
  /** Sampling error of the estimate for this statistics network: it knows nothing of the gap between the bound and the truth. */
  readonly standardError: number;
  /** 95 % interval from the standard error. */
  readonly interval: readonly [number, number];
}

/**
 * Reads a bound out on held-out pairs: one mean over the joint pairs and one partition term over all shifts of all blocks,
 * never a mean of minibatch values, which is biased upwards. The standard error is that of the Hoeffding projection: pair
 * i counts once in the joint term, and as x and as z in the partition.
 */
export function heldOutEstimate(blocks: readonly HeldOutScores[], bound: Bound): HeldOutEstimate {
  const partition = bound.partition(marginalScores(blocks));
  const influences = new Moments();
  const marginalPairs = new Moments();
  for (const block of blocks) addInfluences(block, partition, influences, marginalPairs);
  const joint = blocks.reduce((sum, block) => sum + total(block.joint), 0) / influences.count;
  const estimate = joint - partition.value;
  // What is peculiar to one marginal pair stands in the influences of both its examples, so their squares count it twice.
  // Once too often, but never more than half of the whole.
  const squares = Math.max(influences.squares - marginalPairs.squares, influences.squares / 2);
  const standardError = Math.sqrt(squares / (influences.count - 1) / influences.count);
  return { estimate, standardError, interval: [estimate - 1.96 * standardError, estimate + 1.96 * standardError] };
}

function addInfluences(
  { joint, marginal }: HeldOutScores,
  partition: PartitionTerm,
  influences: Moments,
  marginalPairs: Moments,
): void {
  const count = joint.length;
  const ofBlock = Float64Array.from(joint);
  for (const { shift, scores } of marginal) {
    for (let i = 0; i < count; i++) {
      const weight = partition.influence(scores[i]!) / marginal.length;
      marginalPairs.add(weight);
      ofBlock[i]! -= weight;
      ofBlock[(i + shift) % count]! -= weight;
    }
  }
  ofBlock.forEach((influence) => {
    influences.add(influence);
  });
}

/** Count, mean and sum of squared deviations of a stream of numbers (Welford, 1962). */
class Moments {
  count = 0;
  squares = 0;
  private mean = 0;

  add(value: number): void {
    this.count++;
    const deviation = value - this.mean;
    this.mean += deviation / this.count;
    this.squares += deviation * (value - this.mean);
  }
}

function* marginalScores(blocks: readonly HeldOutScores[]): Generator<number> {
  for (const { marginal } of blocks)
    for (const { scores } of marginal) for (let i = 0; i < scores.length; i++) yield scores[i]!;
}

function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

/** `count` different shifts for `examples` pairs, spread evenly from 1 on; fewer if there are not that many. */
export function spreadShifts(count: number, examples: number): number[] {
  const possible = examples - 1;
  const taken = Math.min(count, possible);
  return Array.from({ length: taken }, (_, i) => 1 + Math.floor((i * possible) / taken));
}
