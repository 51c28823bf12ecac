import type { ExecutionConfig } from '../config/common';
import { nativeBackend } from '../tensorflow/native-backend';
import type { ProgramMode } from '../tensorflow/program';

/**
 * How a program of dense networks is compiled: as the configuration says, else with XLA, which was faster than the graph
 * executor at every size measured (docs/performance.md). Without the native engine nothing is compiled.
 */
export function resolveMode(compile: ExecutionConfig['compile']): ProgramMode {
  if (nativeBackend() === undefined) return 'eager';
  return compile === 'auto' ? 'xla' : compile;
}
