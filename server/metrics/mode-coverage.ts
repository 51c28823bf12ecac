export const MODE_METRIC_NAMES = ['modesCaptured', 'highQualityShare', 'reverseKl', 'jensenShannon'] as const;

export type ModeCoverage = Readonly<Record<(typeof MODE_METRIC_NAMES)[number], number>>;

/**
 * How samples, row-major `[count, 2]`, cover equally likely modes (VEEGAN's and PacGAN's protocol).
 * `highQualityShare`: within 3 standard deviations of the nearest mean; a perfect sampler scores 1 - e^-4.5 = 98.9 % in 2-D.
 * `modesCaptured`: means that are nearest to at least one such sample.
 * `reverseKl`: KL(samples || uniform) = sum p_k ln(K p_k) over the nearest modes of all samples, in nats; perfect samples
 * score about (K - 1) / (2 count). `jensenShannon`: the same two distributions' Jensen-Shannon divergence.
 */
export function modeCoverage(
  points: Float32Array,
  means: readonly (readonly [number, number])[],
  standardDeviation: number,
): ModeCoverage {
  const count = points.length / 2;
  const nearestCounts = new Float64Array(means.length);
  const goodCounts = new Float64Array(means.length);
  for (let i = 0; i < count; i++) {
    const { mode, distance } = nearestMean(points[2 * i]!, points[2 * i + 1]!, means);
    nearestCounts[mode]!++;
    if (distance < 3 * standardDeviation) goodCounts[mode]!++;
  }
  const shares = [...nearestCounts].map((n) => n / count);
  return {
    modesCaptured: goodCounts.filter((n) => n > 0).length,
    highQualityShare: goodCounts.reduce((sum, n) => sum + n, 0) / count,
    reverseKl: klToUniform(shares),
    jensenShannon: jensenShannonToUniform(shares),
  };
}

/** KL(p || uniform) in nats; empty cells contribute nothing. */
export function klToUniform(shares: readonly number[]): number {
  return shares.reduce((sum, p) => (p > 0 ? sum + p * Math.log(shares.length * p) : sum), 0);
}

function jensenShannonToUniform(shares: readonly number[]): number {
  const uniform = 1 / shares.length;
  return shares.reduce((sum, p) => {
    const mixture = (p + uniform) / 2;
    return sum + (p > 0 ? (p / 2) * Math.log(p / mixture) : 0) + (uniform / 2) * Math.log(uniform / mixture);
  }, 0);
}

// A sample that is not a number is nearest to nothing: it counts as mode 0 at an infinite distance, never as high quality.
function nearestMean(
  x: number,
  y: number,
  means: readonly (readonly [number, number])[],
): { mode: number; distance: number } {
  let mode = 0;
  let least = Infinity;
  means.forEach(([mx, my], k) => {
    const squared = (x - mx) ** 2 + (y - my) ** 2;
    if (squared < least) {
      least = squared;
      mode = k;
    }
  });
  return { mode, distance: Math.sqrt(least) };
}
