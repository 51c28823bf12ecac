import * as tf from '@tensorflow/tfjs';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node/dist/nodejs_kernel_backend';
import type { TFEOpAttr, TFJSBinding, TensorMetadata } from '@tensorflow/tfjs-node/dist/tfjs_binding';

/** The name under which tfjs-node's kernel backend is registered with tfjs. */
export const NATIVE_BACKEND = 'tensorflow';

export type NativeBinding = TFJSBinding;
export type OperationAttribute = TFEOpAttr;
export type NativeTensor = TensorMetadata;

/**
 * The binding, with memory of its own for every tensor. As it comes, TensorFlow uses a typed array's memory where that is
 * aligned as it likes, and gives the array's reference back when the tensor goes. Inside of a session a tensor goes on one
 * of TensorFlow's threads; Node allows that call only on its own thread, and the heap is corrupted, seldom and anywhere.
 */
export function withOwnMemory(binding: NativeBinding): NativeBinding {
  const createTensor: NativeBinding['createTensor'] = (shape, dtype, values) =>
    binding.createTensor(shape, dtype, ArrayBuffer.isView(values) ? misaligned(values) : values);
  return Object.create(binding, { createTensor: { value: createTensor } }) as NativeBinding;
}

// TensorFlow copies what does not lie on a multiple of 16 to 64 bytes; buffers start on multiples of 8 at least.
function misaligned<Values extends tf.TypedArray>(values: Values): Values {
  const { constructor, length, BYTES_PER_ELEMENT } = values;
  const Copy = constructor as new (buffer: ArrayBuffer, offset: number, length: number) => Values;
  const copy = new Copy(new ArrayBuffer((length + 1) * BYTES_PER_ELEMENT), BYTES_PER_ELEMENT, length);
  copy.set(values);
  return copy;
}

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
  if (tf.getBackend() !== NATIVE_BACKEND) return undefined;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the backend of this name is made of that class
  return new NativeBackend(tf.backend() as NodeJSKernelBackend);
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
    return attribute(name, this.binding.TF_ATTR_TYPE, type);
  }

  intAttribute(name: string, value: number): OperationAttribute {
    return attribute(name, this.binding.TF_ATTR_INT, value);
  }

  floatAttribute(name: string, value: number): OperationAttribute {
    return attribute(name, this.binding.TF_ATTR_FLOAT, value);
  }
}

function attribute(name: string, type: number, value: number): OperationAttribute {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- declared as a class, which exists nowhere: the binding wants plain objects
  return { name, type, value };
}
