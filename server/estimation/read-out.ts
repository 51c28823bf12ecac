import type { Bound } from './bounds/bound';

/** Outputs of a statistics network on held-out pairs. */
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
 * Reads a bound out on held-out pairs: one mean over the joint pairs and one partition term over all shifts, never a mean
 * of minibatch values, which is biased upwards. The standard error is that of the Hoeffding projection: pair i counts
 * once in the joint term, and as x and as z in the partition.
 */
export function heldOutEstimate(scores: HeldOutScores, bound: Bound): HeldOutEstimate {
  const count = scores.joint.length;
  const partition = bound.partition(flatten(scores.marginal));
  let joint = 0;
  for (let i = 0; i < count; i++) joint += scores.joint[i]! / count;
  const estimate = joint - partition.value;

  const influence = Float64Array.from(scores.joint);
  for (const { shift, scores: t } of scores.marginal) {
    for (let i = 0; i < count; i++) {
      const weight = partition.influence(t[i]!) / scores.marginal.length;
      influence[i]! -= weight;
      influence[(i + shift) % count]! -= weight;
    }
  }
  const mean = influence.reduce((sum, value) => sum + value, 0) / count;
  const variance = influence.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const standardError = Math.sqrt(variance / count);
  return { estimate, standardError, interval: [estimate - 1.96 * standardError, estimate + 1.96 * standardError] };
}

function* flatten(marginal: HeldOutScores['marginal']): Generator<number> {
  for (const { scores } of marginal) for (let i = 0; i < scores.length; i++) yield scores[i]!;
}

/** `count` different shifts for `examples` pairs, spread evenly from 1 on; fewer if there are not that many. */
export function spreadShifts(count: number, examples: number): number[] {
  const possible = examples - 1;
  const taken = Math.min(count, possible);
  return Array.from({ length: taken }, (_, i) => 1 + Math.floor((i * possible) / taken));
}
