import { z } from 'zod';
import { jsonNumber } from './json-number';

/**
 * What a run is doing. Written by its trainer only.
 * - `stopped`: ended early at the user's request (`mine stop`), with a checkpoint and a read-out.
 * - `interrupted`: Ctrl-C, a signal or the loss of the terminal; a checkpoint, no read-out.
 */
export const runState = z.enum([
  'preparing',
  'running',
  'paused',
  'stopping',
  'finished',
  'stopped',
  'failed',
  'interrupted',
]);
export type RunState = z.infer<typeof runState>;

/** States in which a process must be working on the run; if it is gone, the run is lost. */
export const activeStates: ReadonlySet<RunState> = new Set(['preparing', 'running', 'paused', 'stopping']);

/** What a reader shows: `lost` is never written, it is what an active state without its process means. */
export type ShownState = RunState | 'lost';

/** A process that a reused process id cannot be mistaken for. */
export const processIdentity = z.object({
  pid: z.int().positive(),
  /** When it started, in the operating system's own words; only compared for equality. Empty where unknown. */
  startTime: z.string(),
  host: z.string(),
});
export type ProcessIdentity = z.infer<typeof processIdentity>;

/** A metric that lists and progress lines show. */
export const headlineMetric = z.object({
  metric: z.string(),
  label: z.string(),
  digits: z.int().min(0).max(20),
});
export type HeadlineMetric = z.infer<typeof headlineMetric>;

/** What the run computes on. */
export const runDevice = z.object({
  engine: z.enum(['native', 'wasm', 'javascript']),
  device: z.enum(['cpu', 'cuda']),
  compiled: z.enum(['xla', 'graph', 'eager']),
  threads: z.int().min(0),
  tensorflowVersion: z.string(),
  /** One phrase for people: "TensorFlow 2.21 CPU, 2 threads, compiled (XLA)". */
  description: z.string(),
});
export type RunDevice = z.infer<typeof runDevice>;

const timestamp = z.iso.datetime();

/** `run.json`: replaced as a whole at every change of state and, while training, about every second. */
export const runRecord = z.object({
  format: z.literal(1),
  id: z.string().min(1),
  name: z.string(),
  experiment: z.string(),
  state: runState,
  /** Why the run ended as it did: one sentence for `failed`, `stopped`, `interrupted`. */
  reason: z.string().nullable(),
  process: processIdentity,
  seed: z.int(),
  iterations: z.int().positive(),
  /** Iterations done. */
  step: z.int().min(0),
  /** Seconds of work, over all processes that worked on the run. */
  seconds: z.number().min(0),
  headline: z.array(headlineMetric),
  /** The newest values of the headline metrics, by metric. */
  latest: z.record(z.string(), jsonNumber),
  /** Where relative data paths of the configuration start. */
  folder: z.string(),
  configFile: z.string().nullable(),
  versions: z.object({ mine: z.string(), node: z.string(), platform: z.string() }),
  device: runDevice.nullable(),
  git: z.object({ commit: z.string(), modified: z.boolean() }).nullable(),
  createdAt: timestamp,
  startedAt: timestamp.nullable(),
  updatedAt: timestamp,
  endedAt: timestamp.nullable(),
});
export type RunRecord = z.infer<typeof runRecord>;
