import type { ChildProcess } from 'node:child_process';
import type { RunState } from '../protocol/run-record';
import { trainerMessage, type TrainerOrder } from '../protocol/trainer-message';
import type { ProgressDisplay } from './progress-display';

/** How a trainer came to its end, as its parent saw it. */
export type TrainerOutcome =
  | { readonly kind: 'ended'; readonly state: RunState; readonly reason: string | null }
  /** It could not take the run up. */
  | { readonly kind: 'refused'; readonly message: string }
  /** It is gone without a word: killed, crashed, or out of memory. */
  | { readonly kind: 'died'; readonly signal: string | null; readonly exitCode: number | null }
  /** The user did not want to wait for it. */
  | { readonly kind: 'killed' };

/** Shows what a trainer says until it ends, and passes Ctrl-C on: once to checkpoint and end, twice to end at once. */
export function followTrainer(trainer: ChildProcess, display: ProgressDisplay): Promise<TrainerOutcome> {
  let last: TrainerOutcome | null = null;
  let interruptions = 0;
  let controlCs = 0;
  const interrupt = (signal: NodeJS.Signals) => {
    interruptions += 1;
    if (signal === 'SIGINT') controlCs++;
    if (interruptions > 1) {
      // Only a second Ctrl-C is impatience; a terminal that closes meanwhile is not, whichever of the two is seen first.
      if (controlCs < 2) return;
      last = { kind: 'killed' };
      trainer.kill('SIGKILL');
      return;
    }
    const order: TrainerOrder = {
      kind: 'interrupt',
      reason: signal === 'SIGINT' ? 'Interrupted by Ctrl-C.' : `Interrupted by ${signal}.`,
    };
    if (trainer.connected) trainer.send(order);
    display.note(' interrupted: writing a checkpoint; Ctrl-C again ends it at once, without one');
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);

  trainer.on('message', (raw) => {
    const message = trainerMessage.safeParse(raw);
    // A message of a newer trainer is no reason to leave it: the run directory says the same.
    if (!message.success) return;
    display.show(message.data);
    if (message.data.kind === 'refused' || message.data.kind === 'ended') last ??= message.data;
  });
  return new Promise((resolve, reject) => {
    trainer.on('error', reject);
    trainer.on('close', (exitCode, signal) => {
      for (const name of signals) process.off(name, interrupt);
      resolve(last ?? { kind: 'died', signal, exitCode });
    });
  });
}
