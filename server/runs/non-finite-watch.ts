/** The training cannot go on; the message is one sentence for the user. */
export class TrainingFailure extends Error {}

const tolerance = 10;

/**
 * What is minimised or climbed must stay finite: `loss`, `loss.generator`, ..., and `mutualInformation`, the bound that
 * the statistics network climbs. Other metrics (a ratio, a norm) may be infinite for good reasons.
 */
export function isObjective(metric: string): boolean {
  return metric === 'mutualInformation' || /^loss(\.|$)/.test(metric);
}

/**
 * Watches the metrics of the iterations: the first NaN of each metric is a warning, an objective that is not finite for ten
 * iterations on end is the end of the training.
 */
export class NonFiniteWatch {
  private readonly warned = new Set<string>();
  /** Per metric, since which step it has not been finite; null while it is. */
  private readonly since: (number | null)[];

  constructor(private readonly metricNames: readonly string[]) {
    this.since = metricNames.map(() => null);
  }

  /** Whether an objective is not finite now, so that a checkpoint would keep broken weights. */
  get objectiveIsBroken(): boolean {
    return this.metricNames.some((name, index) => isObjective(name) && this.since[index] !== null);
  }

  /**
   * @param values of one iteration, in the order of the metric names.
   * @param warn is called with a sentence and the metric's name.
   * @throws TrainingFailure
   */
  check(step: number, values: ArrayLike<number>, warn: (message: string, metric: string) => void): void {
    this.metricNames.forEach((name, index) => {
      const value = values[index] ?? NaN;
      if (Number.isFinite(value)) {
        this.since[index] = null;
        return;
      }
      const since = (this.since[index] ??= step);
      const isWorthSaying = Number.isNaN(value) || isObjective(name);
      if (isWorthSaying && !this.warned.has(name)) {
        this.warned.add(name);
        warn(`${name} is ${value} at step ${step}.`, name);
      }
      if (isObjective(name) && step - since + 1 >= tolerance) {
        throw new TrainingFailure(
          `${name} has not been a finite number since step ${since}: lower the learning rate, or look at what changed before that step.`,
        );
      }
    });
  }
}
