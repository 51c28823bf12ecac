import { z } from 'zod';
import { runState } from './run-record';

const time = z.iso.datetime();
const step = z.int().min(0);

/** One line of `events.jsonl`. */
export const runEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('state'), time, step, state: runState, reason: z.string().nullable() }),
  /** Something a user should know about, e.g. a metric that turned NaN. One plain sentence. */
  z.object({ kind: z.literal('warning'), time, step, message: z.string(), metric: z.string().optional() }),
  /** `file` is relative to the run directory. `best`: kept because its evaluation is the best so far. */
  z.object({ kind: z.literal('checkpoint'), time, step, file: z.string(), best: z.boolean() }),
  /** A further process took the run up at `step`; `checkpoint` is null if it began again at the start. */
  z.object({ kind: z.literal('resumed'), time, step, checkpoint: z.string().nullable(), segment: z.string() }),
]);
export type RunEvent = z.infer<typeof runEvent>;
