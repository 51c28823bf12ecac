import { z } from 'zod';

/** `__metadata__` of a checkpoint: safetensors allows strings only. */
export const checkpointMetadata = z.object({
  run: z.string(),
  experiment: z.string(),
  /** Iterations done when the variables were read. */
  step: z.string().regex(/^\d+$/),
  savedAt: z.iso.datetime(),
  /** Seconds of work until then, over all processes. */
  seconds: z.string().regex(/^\d+(\.\d+)?$/),
  /** SHA-256 of the data after the header, so that a damaged checkpoint is not trained on. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The value by which the best checkpoint is chosen, where this one was evaluated. */
  bestMetric: z.string().optional(),
  bestValue: z.string().optional(),
});
export type CheckpointMetadata = z.infer<typeof checkpointMetadata>;
