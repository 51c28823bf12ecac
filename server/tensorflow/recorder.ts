import * as tf from '@tensorflow/tfjs';
import type { AttrValue } from '@tensorflow/tfjs-node/dist/proto/api_pb';
import { authorLine } from './author-line';
import * as graph from './graph-nodes';
import type { NativeBackend, NativeBinding, OperationAttribute } from './native-backend';

/** Thrown while an entry is recorded; names the operation and the line of the entry's code that asked for it. */
export class RecordingError extends Error {
  constructor(entry: string, problem: string, options?: ErrorOptions) {
    const line = authorLine();
    super(`recording "${entry}": ${problem}${line === undefined ? '' : ` (at ${line})`}`, options);
    this.name = 'RecordingError';
  }
}

/** A constant this large would be copied into the graph, which is limited to 2 GB, with every entry that uses it. */
const LARGEST_CONSTANT = 1_000_000;

let active: Recorder | undefined;

function setActive(recorder: Recorder | undefined): void {
  active = recorder;
}

/** The recorder at work, or undefined where operations simply run. */
export function activeRecorder(): Recorder | undefined {
  return active;
}

/**
 * Writes down what tfjs does as the nodes of a TensorFlow function. Every kernel of tfjs-node goes through
 * `binding.executeOp` and `binding.createTensor`; standing in their place sees the whole step, the tape's gradients and
 * the optimiser included. Values are read from variables at the first use and written at the end, so that ordinary code
 * with `variable.assign` means the same recorded as run.
 */
export class Recorder {
  readonly nodes = new graph.FunctionNodes();
  /** How to refer to a tensor, by its native id. A thunk adds the node when the tensor is first used. */
  private readonly references = new Map<number, string | (() => string)>();
  private readonly variables = new Map<string, VariableRecord>();
  /** Native ids of the values that the variables had before the entry. */
  private readonly originalIds = new Map<string, number>();

  /** `parameterOf` gives the function's parameter that holds a variable's handle. */
  constructor(
    private readonly backend: NativeBackend,
    private readonly entry: string,
    private readonly parameterOf: (variable: string) => string,
  ) {}

  /** Makes a tensor of the entry's arguments known under a parameter's name. */
  addParameter(tensor: tf.Tensor, parameter: string): void {
    this.references.set(this.backend.idOf(tensor), parameter);
  }

  /** Runs `body` and returns its results as references, after the nodes that write every changed variable. Variables keep their values. */
  record(
    body: () => Readonly<Record<string, tf.Tensor>>,
  ): { name: string; type: number; shape: number[]; value: string }[] {
    const registered = Object.values(tf.engine().registeredVariables);
    const mathRandom = Math.random;
    return tf.tidy(() => {
      const originals = registered.map((variable) => this.watch(variable));
      setActive(this);
      Math.random = () => {
        throw this.error('random numbers drawn in JavaScript would be the same at every step: draw with RandomStreams');
      };
      try {
        return this.backend.withBinding(this.standIn(), () => {
          const results = body();
          this.assignChanged(registered);
          const writes = [...this.variables.values()].flatMap((variable) => controlInputs(variable.writes));
          return Object.entries(results).map(([name, tensor]) => {
            const type = typeNumber(tensor.dtype);
            const reference = this.referenceTo(this.backend.idOf(tensor));
            const identity = this.nodes.add('Identity', [reference, ...writes], { T: graph.typeAttribute(type) });
            return { name, type, shape: [...tensor.shape], value: `${identity}:output:0` };
          });
        });
      } finally {
        setActive(undefined);
        Math.random = mathRandom;
        registered.forEach((variable, i) => {
          variable.assign(originals[i]!);
        });
      }
    });
  }

  /**
   * Records one operation that changes variables in place, such as `ResourceApplyAdam`, and gives the variables their new
   * values, computed by `compute`, so that code after it goes on with them.
   */
  update(
    operation: string,
    variables: readonly tf.Variable[],
    scalars: readonly tf.Tensor[],
    compute: () => tf.Tensor[],
  ): void {
    const records = variables.map((variable) => this.writtenRecordOf(variable));
    const inputs = [
      ...records.map((record) => record.handle),
      ...scalars.map((scalar) => this.referenceTo(this.backend.idOf(scalar))),
      ...records.flatMap((record) => controlInputs([...record.reads, ...record.writes])),
    ];
    const name = this.nodes.add(operation, inputs, { T: graph.typeAttribute(graph.DataType.float) });
    // After the inputs are known: computing hands constants over to TensorFlow, and only the stand-in sees them.
    const values = this.backend.withBinding(this.nativeBinding(), compute);
    variables.forEach((variable, i) => {
      const record = records[i]!;
      const written = record.writes.push(name);
      variable.assign(values[i]!);
      record.held = this.backend.idOf(variable);
      this.references.set(record.held, () => this.read(record, written));
    });
  }

  error(problem: string, options?: ErrorOptions): RecordingError {
    return new RecordingError(this.entry, problem, options);
  }

  private nativeBinding(): NativeBinding {
    return Object.getPrototypeOf(this.backend.binding) as NativeBinding;
  }

  private watch(variable: tf.Variable): tf.Tensor {
    // Two variables that were given the same tensor share it until one changes; the graph must tell them apart.
    if (this.references.has(this.backend.idOf(variable))) variable.assign(tf.add(variable, tf.zerosLike(variable)));
    const id = this.backend.idOf(variable);
    const original = variable.clone();
    this.originalIds.set(variable.name, id);
    this.references.set(id, () => this.read(this.recordOf(variable), 0));
    return original;
  }

  private recordOf({ name, dtype }: tf.Variable): VariableRecord {
    let record = this.variables.get(name);
    if (record === undefined) {
      const held = this.originalIds.get(name);
      if (held === undefined) throw this.error(`variable "${name}" is made inside of the entry: make it before`);
      if (dtype !== 'float32' && dtype !== 'int32')
        throw this.error(`variable "${name}" has type ${dtype}: only float32 and int32 can be kept`);
      record = { handle: this.parameterOf(name), type: typeNumber(dtype), reads: [], writes: [], held };
      this.variables.set(name, record);
    }
    return record;
  }

  // Sees the first `written` writes and no later one, although it is added when its value is first used, perhaps after them.
  private read(record: VariableRecord, written: number): string {
    const before = controlInputs(record.writes.slice(0, written));
    const name = this.nodes.add('ReadVariableOp', [record.handle, ...before], {
      dtype: graph.typeAttribute(record.type),
    });
    const next = record.writes[written];
    if (next !== undefined) this.nodes.addControlEdge(name, next);
    record.reads.push(name);
    return `${name}:value:0`;
  }

  private assignChanged(registered: readonly tf.Variable[]): void {
    for (const variable of registered)
      if (this.variables.has(variable.name) || this.backend.idOf(variable) !== this.originalIds.get(variable.name))
        this.writtenRecordOf(variable);
  }

  /** The record of a variable after its present value has been written into the graph's variable. */
  private writtenRecordOf(variable: tf.Variable): VariableRecord {
    const record = this.recordOf(variable);
    const id = this.backend.idOf(variable);
    if (id === record.held) return record;
    const value = this.referenceTo(id);
    // The write waits for every read of the old value, otherwise a reader could see the new one.
    const before = controlInputs([...record.reads, ...record.writes]);
    record.writes.push(
      this.nodes.add('AssignVariableOp', [record.handle, value, ...before], {
        dtype: graph.typeAttribute(record.type),
      }),
    );
    record.held = id;
    return record;
  }

  private referenceTo(id: number): string {
    let reference = this.references.get(id);
    if (typeof reference === 'function') reference = reference();
    if (reference === undefined)
      throw this.error('a tensor that was made outside of the entry is used: make it a tf.Variable or an input');
    this.references.set(id, reference);
    return reference;
  }

  private standIn(): NativeBinding {
    const native = this.backend.binding;
    const stand: Pick<NativeBinding, 'createTensor' | 'executeOp' | 'tensorDataSync'> = {
      createTensor: (shape, dtype, values) => {
        const id = native.createTensor(shape, dtype, values);
        this.references.set(id, () => this.constantOf(shape, dtype, values as tf.TypedArray));
        return id;
      },
      executeOp: (operation, attributes, inputs, outputs) => {
        const results = this.run(native, operation, attributes, inputs, outputs);
        const references = inputs.map((id) => this.referenceTo(id));
        const name = this.nodes.add(operation, references, {
          // tfjs-node leaves this type out: an operation that runs at once infers it from the input.
          ...(operation === 'ExpandDims' ? { T: graph.typeAttribute(results[0]!.dtype) } : {}),
          ...Object.fromEntries(attributes.map((a) => [a.name, this.attributeValue(operation, a)])),
        });
        results.forEach((result, i) => this.references.set(result.id, graph.outputReference(name, operation, i)));
        return results;
      },
      tensorDataSync: () => {
        throw this.error(
          'the values of a tensor cannot be read here (dataSync, arraySync, control flow on values): a recorded step has none yet. Compute with tensors, or return them from the entry',
        );
      },
    };
    // The binding's own properties are read-only, so they are shadowed rather than assigned.
    return Object.create(native, Object.getOwnPropertyDescriptors(stand)) as NativeBinding;
  }

  private run(
    native: NativeBinding,
    operation: string,
    attributes: OperationAttribute[],
    inputs: number[],
    outputs: number,
  ): ReturnType<NativeBinding['executeOp']> {
    try {
      return native.executeOp(operation, attributes, inputs, outputs);
    } catch (cause) {
      throw this.error(`${operation} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }

  private constantOf(shape: readonly number[], dtype: number, values: tf.TypedArray): string {
    const size = shape.reduce((product, dim) => product * dim, 1);
    if (size > LARGEST_CONSTANT) throw this.error(`a constant of ${size} numbers: keep data in a tf.Variable`);
    const typed =
      dtype === graph.DataType.float
        ? Float32Array.from(values)
        : dtype === graph.DataType.int32
          ? Int32Array.from(values)
          : dtype === graph.DataType.bool
            ? Uint8Array.from(values)
            : undefined;
    if (typed === undefined)
      throw this.error(`a constant of TensorFlow type ${dtype}: only float32, int32 and bool can be recorded`);
    return this.nodes.constant(shape, dtype, new Uint8Array(typed.buffer));
  }

  private attributeValue(operation: string, { name, type, value }: OperationAttribute): AttrValue {
    const native = this.backend.binding;
    if (Array.isArray(value)) {
      if (type === native.TF_ATTR_SHAPE) return graph.shapeAttribute(value);
      if (type === native.TF_ATTR_INT) return graph.intListAttribute(value);
    } else if (type === native.TF_ATTR_TYPE && typeof value === 'number') return graph.typeAttribute(value);
    else if (type === native.TF_ATTR_BOOL && typeof value === 'boolean') return graph.boolAttribute(value);
    else if (type === native.TF_ATTR_FLOAT && typeof value === 'number') return graph.floatAttribute(value);
    else if (type === native.TF_ATTR_INT && typeof value === 'number') return graph.intAttribute(value);
    else if (type === native.TF_ATTR_STRING && typeof value === 'string') return graph.stringAttribute(value);
    throw this.error(`attribute ${name} of ${operation} has a type that cannot be recorded`);
  }
}

interface VariableRecord {
  readonly handle: string;
  readonly type: number;
  readonly reads: string[];
  readonly writes: string[];
  /** The native id of the value that the graph's variable has after `writes`. */
  held: number;
}

function controlInputs(names: readonly string[]): string[] {
  return names.map((name) => `^${name}`);
}

function typeNumber(dtype: tf.DataType): number {
  switch (dtype) {
    case 'float32':
      return graph.DataType.float;
    case 'int32':
      return graph.DataType.int32;
    case 'bool':
      return graph.DataType.bool;
    case 'string':
    case 'complex64':
      throw new Error(`tensors of type ${dtype} cannot be recorded`);
  }
}
