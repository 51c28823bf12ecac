import util from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { NodeJSKernelBackend } from '@tensorflow/tfjs-node/dist/nodejs_kernel_backend';
import { createRequire } from 'node:module';
import { NATIVE_BACKEND, type NativeBinding } from './native-backend';

export function registerNative(bindingPath: string): void {
  (util as { isNullOrUndefined?: (v: unknown) => boolean }).isNullOrUndefined ??= (v) => v === null || v === undefined;
  const binding = createRequire(__filename)(bindingPath) as NativeBinding;
  tf.registerBackend(NATIVE_BACKEND, () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node'), 3);
  tf.setBackend(NATIVE_BACKEND);
  require('@tensorflow/tfjs-node/dist/register_all_kernels');
}
