import { z } from 'zod';

/**
 * A request to the trainer is a file of this name in the run's `control/` folder; the trainer removes it when it has
 * acted on it. An empty file will do: `touch control/pause` works from any shell.
 */
export const controlRequest = z.enum(['pause', 'resume', 'stop', 'checkpoint']);
export type ControlRequest = z.infer<typeof controlRequest>;
