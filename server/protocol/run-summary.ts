import { z } from 'zod';
import { jsonNumber } from './json-number';

/**
 * `summary.json`, and what `mine run --json` prints: the final read-out. Further metrics stand beside these fields by
 * their own names (`modesCaptured`, `reverseKl`, ...).
 */
export const runSummary = z.looseObject({
  estimate: jsonNumber,
  /** The 95 % interval. */
  interval: z.tuple([jsonNumber, jsonNumber]),
  unit: z.enum(['nats', 'bits']),
  /** The closed form, where there is one. */
  truth: jsonNumber.nullable(),
  /** Plain sentences to be read beside the number. */
  warnings: z.array(z.string()),
  run: z.object({ id: z.string(), name: z.string(), path: z.string(), experiment: z.string(), seed: z.int() }),
  /** Seconds of work, over all processes that worked on the run. */
  seconds: z.number(),
  /** Iterations done; fewer than configured if the run was stopped. */
  iterations: z.int(),
  device: z.string(),
});
export type RunSummary = z.infer<typeof runSummary>;

/** Names that a metric cannot take in a summary. */
export const summaryFields: ReadonlySet<string> = new Set(Object.keys(runSummary.shape));
