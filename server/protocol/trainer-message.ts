import { z } from 'zod';
import { jsonMetrics } from './json-number';
import { runEvent } from './run-event';
import { headlineMetric, runDevice, runState } from './run-record';

const step = z.int().min(0);

/**
 * What a trainer tells the process that forked it. It only makes faster what the run directory says as well: a trainer
 * works on when nobody listens.
 */
export const trainerMessage = z.discriminatedUnion('kind', [
  /** The run cannot be taken up; nothing in its directory was changed. */
  z.object({ kind: z.literal('refused'), message: z.string() }),
  /** What is being prepared: "recording", "compiling". */
  z.object({ kind: z.literal('preparing'), stage: z.string() }),
  /** Training begins at `step`. */
  z.object({
    kind: z.literal('prepared'),
    step,
    iterations: z.int().positive(),
    device: runDevice,
    headline: z.array(headlineMetric),
  }),
  /** Iterations done, and the newest values of the headline metrics. Several times a second. */
  z.object({ kind: z.literal('progress'), step, latest: jsonMetrics }),
  /** A line that was added to events.jsonl. */
  z.object({ kind: z.literal('event'), event: runEvent }),
  /** The last message. */
  z.object({ kind: z.literal('ended'), step, state: runState, reason: z.string().nullable() }),
]);
export type TrainerMessage = z.infer<typeof trainerMessage>;

/** What the forking process tells its trainer: checkpoint and end (Ctrl-C). Everything else goes through `control/`. */
export const trainerOrder = z.object({ kind: z.literal('interrupt'), reason: z.string() });
export type TrainerOrder = z.infer<typeof trainerOrder>;
