import { z } from 'zod';

/** What a contestant's process says first. */
export const greeting = z.strictObject({
  /** Of what it computes with, by name. */
  versions: z.record(z.string(), z.string()),
  variants: z.array(z.string()),
});
export type Greeting = z.infer<typeof greeting>;

/** One turn: a warm-up of a fifth of a group, then `groups` times `iterations` steps, each group timed as a whole. */
export const turnRequest = z.strictObject({
  step: z.string(),
  variant: z.string(),
  iterations: z.int().positive(),
  groups: z.int().positive(),
});
export type TurnRequest = z.infer<typeof turnRequest>;

export const turnResult = z.strictObject({
  /** One per group. */
  millisecondsPerStep: z.array(z.number().positive()).min(1),
  /** Processor time of all the process's threads, over all groups. */
  processorMillisecondsPerStep: z.number().nonnegative(),
  /** Of the last step; numbers that are not finite are no training. */
  metrics: z.record(z.string(), z.number()),
});
export type TurnResult = z.infer<typeof turnResult>;

export const turnReply = z.union([turnResult, z.strictObject({ error: z.string() })]);
export type TurnReply = z.infer<typeof turnReply>;
