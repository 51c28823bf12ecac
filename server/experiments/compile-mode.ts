import type { ExecutionConfig } from '../config/common';
import { nativeBackend } from '../tensorflow/native-backend';
import type { ProgramMode } from '../tensorflow/program';

/**
 * From this many multiply-adds in one matrix product on, TensorFlow's graph with oneDNN's products is faster on a CPU than
 * XLA with Eigen's; below it the overhead of single operations decides, which XLA does not have. See docs/performance.md.
 */
const LARGE_PRODUCT = 100e6;

/** The size of a dense network as it is trained: rows per step, and the widths of all layers from input to output. */
export interface DenseSize {
  readonly rows: number;
  readonly widths: readonly number[];
}

/** How a program of dense networks is compiled: as the configuration says, or by the largest matrix product where it leaves it open. */
export function resolveMode(compile: ExecutionConfig['compile'], networks: readonly DenseSize[] = []): ProgramMode {
  const native = nativeBackend();
  if (native === undefined) return 'eager';
  if (compile !== 'auto') return compile;
  if (native.binding.isUsingGpuDevice()) return 'xla';
  const products = networks.flatMap(({ rows, widths }) => widths.slice(1).map((width, i) => rows * widths[i]! * width));
  return Math.max(...products) >= LARGE_PRODUCT ? 'graph' : 'xla';
}
