import type { ExecutionConfig } from '../config/common';
import { nativeBackend } from '../tensorflow/native-backend';
import type { ProgramMode } from '../tensorflow/program';

/** How a program of dense networks is compiled when the configuration leaves it open. */
export function resolveMode(compile: ExecutionConfig['compile']): ProgramMode {
  if (nativeBackend() === undefined) return 'eager';
  return compile === 'auto' ? 'xla' : compile;
}
