import { z } from 'zod';
import { jsonNumber } from './json-number';

const interval = z.tuple([jsonNumber, jsonNumber]);

/** What `mine estimate --json` prints: the mutual information of two arrays, read on pairs that no network was trained on. */
export const estimateReport = z.object({
  /** Mean over the folds. */
  estimate: jsonNumber,
  /** 95 %: sampling and training noise, not the gap between the bound and the truth. */
  interval,
  unit: z.enum(['nats', 'bits']),
  /** Data have no known truth; here so that the object reads like a run's summary. */
  truth: jsonNumber.nullable(),
  /** Plain sentences to be read beside the number. */
  warnings: z.array(z.string()),
  rows: z.int(),
  x: z.object({ source: z.string(), columns: z.array(z.string()), constant: z.array(z.string()) }),
  y: z.object({ source: z.string(), columns: z.array(z.string()), constant: z.array(z.string()) }),
  standardError: jsonNumber,
  /** Held-out estimate of each fold. */
  folds: z.array(jsonNumber),
  /** Marginal pairs that carry the partition, in effect, in the fold where they are fewest; null without a network. */
  effectivePairs: jsonNumber.nullable(),
  /** Kraskov, Stoegbauer and Grassberger's estimate; null where it cannot be computed. */
  nearestNeighbour: z.object({ estimate: jsonNumber, neighbours: z.int(), queries: z.int() }).nullable(),
  /** The estimate as if the data were Gaussian; null where it cannot be computed. */
  canonicalCorrelation: z.object({ estimate: jsonNumber, plugIn: jsonNumber }).nullable(),
  /** No method can show more than this from so many pairs: 2 ln N + 5 nats (McAllester and Stratos, 2020). */
  ceiling: jsonNumber,
  steps: z.int(),
  seed: z.int(),
  device: z.string(),
  seconds: z.number(),
});
export type EstimateReport = z.infer<typeof estimateReport>;

/** What the estimating process is asked for. */
export const estimateRequest = z.object({
  x: z.string(),
  y: z.string(),
  /** Where relative paths start. */
  folder: z.string(),
  seed: z.int(),
  unit: z.enum(['nats', 'bits']),
});
export type EstimateRequest = z.infer<typeof estimateRequest>;

/** What the estimating process tells the command line. */
export const estimatorMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('stage'), stage: z.string() }),
  /** Steps done, and the mean over the networks of their best bounds on validation rows so far, in nats. */
  z.object({ kind: z.literal('progress'), steps: z.int(), limit: z.int(), validation: jsonNumber }),
  z.object({ kind: z.literal('refused'), problems: z.array(z.string()) }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
  z.object({ kind: z.literal('finished'), report: estimateReport }),
]);
export type EstimatorMessage = z.infer<typeof estimatorMessage>;
