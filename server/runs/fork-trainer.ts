import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { runPaths } from './run-paths';
import type { TrainerPurpose } from './trainer-process';

/**
 * Starts the trainer of a run, in a process group of its own so that Ctrl-C in a terminal reaches only this process,
 * which then tells the trainer. What the trainer prints, TensorFlow's own messages included, goes to the run's log.
 * @param libraries environment variables that the engine's libraries are found through.
 */
export function forkTrainer(
  run: string,
  purpose: TrainerPurpose,
  libraries: Readonly<Record<string, string>>,
): ChildProcess {
  const log = openSync(runPaths.log(run), 'a');
  try {
    return spawn(process.execPath, [join(__dirname, 'trainer.js'), purpose, run], {
      detached: true,
      // Detached processes on Windows would open a console.
      windowsHide: true,
      stdio: ['ignore', log, log, 'ipc'],
      env: { TF_CPP_MIN_LOG_LEVEL: '2', TF_FORCE_GPU_ALLOW_GROWTH: 'true', ...process.env, ...libraries },
    });
  } finally {
    closeSync(log);
  }
}
