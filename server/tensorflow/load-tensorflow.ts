import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { NodeJSKernelBackend } from '@tensorflow/tfjs-node/dist/nodejs_kernel_backend';
import type { ExecutionConfig } from '../config/common';
import { findInstalledEngine, type InstalledEngine } from './engine/installed-engine';
import { NATIVE_BACKEND, type NativeBinding, withOwnMemory } from './native-backend';

/** What computes in this process. */
export interface LoadedTensorFlow {
  readonly kind: 'native' | 'wasm' | 'javascript';
  /** TensorFlow's version, or tfjs's where there is no native engine. */
  readonly tensorflowVersion: string;
  readonly device: 'cpu' | 'cuda';
  readonly threads: number;
  /** `TensorFlow 2.21.0 on CPU, 2 threads`, or what runs instead and why. */
  readonly description: string;
  /** Why it is not the native engine, in one sentence with the remedy; null where it is. */
  readonly notice: string | null;
}

/**
 * Loads the installed native engine into tfjs, or the portable backend where there is none. Call it once per process,
 * before any tensor is made; the engine's environment must have been set when the process started.
 * @throws BrokenEngineError if an engine is installed and damaged; an error if the device asked for is not there.
 */
export async function loadTensorFlow(
  execution: Pick<ExecutionConfig, 'device' | 'threads'>,
): Promise<LoadedTensorFlow> {
  if (execution.device === 'portable') return loadPortable('the configuration asks for it (execution.device)');
  const engine = findInstalledEngine(execution.device === 'auto' ? undefined : execution.device);
  if (engine === undefined) {
    if (execution.device === 'cuda')
      throw new Error(
        'No engine for CUDA is installed: run `mine engine install --device cuda`, or set execution.device to "auto".',
      );
    return loadPortable('no native engine is installed: `mine engine install` makes training 30 to 100 times faster');
  }
  return loadNative(engine, execution);
}

async function loadNative(
  engine: InstalledEngine,
  execution: Pick<ExecutionConfig, 'device' | 'threads'>,
): Promise<LoadedTensorFlow> {
  // TensorFlow reads these when it is loaded. Its own messages of level info say nothing that a run's log needs.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  if (execution.threads > 0) {
    process.env.TF_NUM_INTRAOP_THREADS = String(execution.threads);
    process.env.TF_NUM_INTEROP_THREADS = String(execution.threads);
  }
  // Gone in Node 23, and tfjs-node's kernels call it.
  const legacy = util as { isNullOrUndefined?: (value: unknown) => boolean };
  legacy.isNullOrUndefined ??= (value) => value === null || value === undefined;

  const binding = withOwnMemory(createRequire(__filename)(engine.binding) as NativeBinding);
  tf.registerBackend(NATIVE_BACKEND, () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node'), 3);
  if (!(await tf.setBackend(NATIVE_BACKEND)))
    throw new Error(`The native engine in ${engine.folder} was loaded but does not start: run \`mine doctor\`.`);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- registers kernels as a side effect, and only where the engine is used
  require('@tensorflow/tfjs-node/dist/register_all_kernels');

  const device = binding.isUsingGpuDevice() ? 'cuda' : 'cpu';
  if (execution.device === 'cuda' && device !== 'cuda')
    throw new Error('The CUDA engine sees no GPU: run `mine doctor`, or set execution.device to "cpu".');
  const threads = execution.threads > 0 ? execution.threads : availableParallelism();
  const place = device === 'cuda' ? 'GPU' : `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return {
    kind: 'native',
    tensorflowVersion: binding.TF_Version,
    device,
    threads,
    description: `TensorFlow ${binding.TF_Version} on ${place}`,
    notice: null,
  };
}

async function loadPortable(reason: string): Promise<LoadedTensorFlow> {
  setWasmPaths(`${wasmFolder()}${path.sep}`);
  // A missing .wasm file makes this false without an error.
  const wasm = await tf.setBackend('wasm').catch(() => false);
  if (!wasm) await tf.setBackend('cpu');
  await tf.ready();
  const kind = wasm ? 'wasm' : 'javascript';
  const name = wasm ? 'WebAssembly' : 'JavaScript';
  return {
    kind,
    tensorflowVersion: tf.version.tfjs,
    device: 'cpu',
    threads: 1,
    description: `tfjs ${tf.version.tfjs} in ${name}, uncompiled and slow`,
    notice: `Training runs in ${name}, uncompiled, because ${reason}.`,
  };
}

/** The .wasm files lie beside the bundle, or in the package when the sources run unbundled. */
function wasmFolder(): string {
  const bundled = path.join(__dirname, 'wasm');
  try {
    return path.join(
      path.dirname(createRequire(__filename).resolve('@tensorflow/tfjs-backend-wasm/package.json')),
      'dist',
    );
  } catch {
    return bundled;
  }
}
