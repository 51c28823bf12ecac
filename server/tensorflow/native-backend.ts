import * as tf from '@tensorflow/tfjs';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node/dist/nodejs_kernel_backend';
import type { TFEOpAttr, TFJSBinding, TensorMetadata } from '@tensorflow/tfjs-node/dist/tfjs_binding';

/** The name under which tfjs-node's kernel backend is registered with tfjs. */
export const NATIVE_BACKEND = 'tensorflow';

export type NativeBinding = TFJSBinding;
export type OperationAttribute = TFEOpAttr;
export type NativeTensor = TensorMetadata;

/** What the recorder needs to know of a tensor inside tfjs-node: its native id, once the values have been handed over. */
interface BackendTensor {
  shape: number[];
  dtype: number;
  values: tf.TypedArray | null;
  id: number;
}

interface BackendInternals {
  binding: NativeBinding;
  readonly tensorMap: { get(dataId: object): BackendTensor };
  createOutputTensor(metadata: NativeTensor): tf.Tensor;
}

/** The native backend, or undefined where tfjs computes in JavaScript or WebAssembly. */
export function nativeBackend(): NativeBackend | undefined {
  return tf.getBackend() === NATIVE_BACKEND ? new NativeBackend(tf.backend() as NodeJSKernelBackend) : undefined;
}

/** tfjs-node's backend with the parts opened that recording needs; tfjs-node declares them private. */
export class NativeBackend {
  private readonly internals: BackendInternals;

  constructor(private readonly backend: NodeJSKernelBackend) {
    this.internals = backend as unknown as BackendInternals;
  }

  get binding(): NativeBinding {
    return this.internals.binding;
  }

  /** Runs `body` with another object in the binding's place: every kernel goes through it. */
  withBinding<Result>(stand: NativeBinding, body: () => Result): Result {
    const own = this.internals.binding;
    this.internals.binding = stand;
    try {
      return body();
    } finally {
      this.internals.binding = own;
    }
  }

  /** The native id of a tensor, handing its values to TensorFlow if that has not happened yet. */
  idOf(tensor: { readonly dataId: object }, binding = this.binding): number {
    const entry = this.internals.tensorMap.get(tensor.dataId);
    if (entry.values !== null) {
      entry.id = binding.createTensor(entry.shape, entry.dtype, entry.values);
      entry.values = null;
    }
    return entry.id;
  }

  tensorOf(metadata: NativeTensor): tf.Tensor {
    return this.internals.createOutputTensor(metadata);
  }

  /** One TensorFlow operation that tfjs has no name for. */
  execute(operation: string, attributes: OperationAttribute[], inputs: tf.Tensor[]): tf.Tensor {
    return this.backend.executeSingleOutput(operation, attributes, inputs);
  }

  typeAttribute(name: string, type: number): OperationAttribute {
    return { name, type: this.binding.TF_ATTR_TYPE, value: type };
  }
}
