import * as tf from '@tensorflow/tfjs';
import type { FunctionDef, NodeDef } from '@tensorflow/tfjs-node/dist/proto/api_pb';
import * as graph from './graph-nodes';
import type { NativeBackend, NativeTensor } from './native-backend';
import type { Entry, Program, ProgramResult, VariableValue } from './program';
import {
  checkInputs,
  checkValues,
  disposedProgram,
  inputsOf,
  isData,
  notRepeatable,
  runEntry,
  unknownEntry,
} from './program-checks';
import { Recorder } from './recorder';
import { type RepeatableResult, repeatFunctions } from './repeat-functions';
import { loadGraph } from './saved-model';

/** Most steps of one `repeat`: the rows of its result are allocated in the graph. */
export const REPEAT_CAPACITY = 128;

interface CompiledVariable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  readonly handle: string;
}

interface CompiledEntry {
  readonly results: readonly RepeatableResult[];
  readonly repeatable: boolean;
  /**
   * A single run is a loop of one step too. XLA compiles a step alone and the same step in a loop differently, and the
   * last bits of their results differ.
   */
  readonly runsInLoop: boolean;
}

/** Entries recorded into TensorFlow functions, loaded as one session: state is shared, a call chooses by what it fetches. */
export class CompiledProgram<Name extends string> implements Program<Name> {
  private readonly variables = new Map<string, CompiledVariable>();
  private readonly compiled = new Map<Name, CompiledEntry>();
  private readonly session: number;
  private disposed = false;

  constructor(
    private readonly entries: Readonly<Record<Name, Entry>>,
    private readonly backend: NativeBackend,
    private readonly mode: 'xla' | 'graph',
    onStage: (stage: string) => void = () => undefined,
  ) {
    const nodes: NodeDef[] = [];
    const functions: FunctionDef[] = [];
    for (const name of Object.keys(entries) as Name[]) {
      onStage(`recording ${name}`);
      this.compile(name, nodes, functions);
    }
    nodes.push(...this.variableNodes());
    this.session = loadGraph(backend.binding, nodes, functions, 'loaded');
    this.adoptVariables();
  }

  run(entry: Name, inputs: Readonly<Record<string, Float32Array | Int32Array>> = {}): Record<string, ProgramResult> {
    const { results, runsInLoop } = this.entryOf(entry);
    const specifications = inputsOf(this.entries[entry]);
    checkInputs(entry, specifications, inputs);
    if (runsInLoop) {
      const row = this.repeat(entry, 1);
      return Object.fromEntries(results.map(({ name, shape }, i) => [name, { shape, values: row.slice(i, i + 1) }]));
    }
    const names = Object.keys(specifications);
    const fed = names.map((name) => ({
      shape: specifications[name]!.shape,
      dtype: specifications[name]!.dtype,
      values: inputs[name]!,
    }));
    const fetched = this.call(
      fed,
      names.map((name) => inputNode(entry, name)),
      results.map((_, i) => `${runNode(entry)}:${i}`),
    );
    return Object.fromEntries(results.map((result, i) => [result.name, fetched[i]!]));
  }

  repeat(entry: Name, count: number): Float32Array {
    const { results, repeatable } = this.entryOf(entry);
    if (!repeatable) throw notRepeatable(entry);
    const rows = new Float32Array(count * results.length);
    for (let done = 0; done < count;) {
      const steps = Math.min(count - done, REPEAT_CAPACITY);
      const [fetched] = this.call(
        [{ shape: [], dtype: 'int32', values: Int32Array.of(steps) }],
        [countNode(entry)],
        [`${repeatNode(entry)}:0`],
      );
      rows.set(fetched!.values.subarray(0, steps * results.length), done * results.length);
      done += steps;
    }
    return rows;
  }

  resultNames(entry: Name): readonly string[] {
    return this.entryOf(entry).results.map((result) => result.name);
  }

  pull(): Map<string, VariableValue> {
    const own = [...this.variables.values()].filter((variable) => !isData(variable.name));
    const values = this.call(
      [],
      [],
      own.map((variable) => `${variable.handle}_read:0`),
    );
    return new Map(
      own.map((variable, i) => [
        variable.name,
        { shape: variable.shape, values: Float32Array.from(values[i]!.values) },
      ]),
    );
  }

  push(values: ReadonlyMap<string, VariableValue>): void {
    const own = [...this.variables.values()].filter((variable) => !isData(variable.name));
    checkValues(new Map(own.map((variable) => [variable.name, variable.shape])), values);
    const fed = own.map((variable) => ({
      shape: variable.shape,
      dtype: variable.dtype,
      values: values.get(variable.name)!.values,
    }));
    this.call(
      fed,
      own.map((variable) => `${variable.handle}_value`),
      own.map((variable) => `${variable.handle}_assigned:0`),
    );
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.backend.binding.deleteSavedModel(this.session);
  }

  private entryOf(name: Name): CompiledEntry {
    const entry = this.compiled.get(name);
    if (entry === undefined) throw unknownEntry(name, this.compiled.keys());
    return entry;
  }

  private compile(name: Name, nodes: NodeDef[], functions: FunctionDef[]): void {
    const entry = this.entries[name];
    const handles = new Set<string>();
    const recorder = new Recorder(this.backend, name, (variable) => {
      const { handle } = this.handleOf(variable);
      handles.add(handle);
      return handle;
    });
    const inputs = Object.entries(inputsOf(entry)).map(([input, { shape, dtype }], i) => ({
      input,
      shape,
      dtype,
      name: `input${i}`,
      type: dtype === 'int32' ? graph.DataType.int32 : graph.DataType.float,
    }));
    const recorded = tf.tidy(() => {
      const tensors = inputs.map(({ shape, dtype }) => tf.zeros([...shape], dtype));
      inputs.forEach(({ name: parameter }, i) => {
        recorder.addParameter(tensors[i]!, parameter);
      });
      return recorder.record(() =>
        runEntry(name, entry, Object.fromEntries(inputs.map(({ input }, i) => [input, tensors[i]!]))),
      );
    });

    const resources = [...handles].map((handle) => ({ name: handle, type: graph.DataType.resource }));
    const parameters = [...inputs, ...resources];
    const results = recorded.map((result, i) => ({ ...result, label: result.name, name: `result${i}` }));
    const xla = (typeof entry === 'function' ? this.mode : (entry.mode ?? this.mode)) === 'xla';
    functions.push(recorder.nodes.define(bodyFunction(name), parameters, results, false));
    const call = callOf(bodyFunction(name), parameters, results);
    // A wrapper is compiled, so that the body can also be called inside of the compiled loop.
    const wrapper = new graph.FunctionNodes();
    const called = wrapper.add(
      call.operation,
      parameters.map((p) => p.name),
      call.attributes,
    );
    functions.push(
      wrapper.define(
        onceFunction(name),
        parameters,
        results.map((result, i) => ({ ...result, value: `${called}:output:${i}` })),
        xla,
      ),
    );
    for (const input of inputs)
      nodes.push(
        graph.node(inputNode(name, input.input), 'Placeholder', [], {
          dtype: graph.typeAttribute(input.type),
          shape: graph.shapeAttribute(input.shape),
        }),
      );
    const once = callOf(onceFunction(name), parameters, results);
    nodes.push(
      graph.node(
        runNode(name),
        once.operation,
        [...inputs.map(({ input }) => inputNode(name, input)), ...handles],
        xla ? { ...once.attributes, _XlaMustCompile: graph.boolAttribute(true) } : once.attributes,
      ),
    );

    const named = results.map((result) => ({ name: result.label, type: result.type, shape: result.shape }));
    const repeatable = inputs.length === 0 && named.every((result) => result.shape.length === 0);
    if (repeatable) {
      functions.push(...repeatFunctions(name, bodyFunction(name), resources, named, REPEAT_CAPACITY, xla));
      nodes.push(
        graph.node(countNode(name), 'Placeholder', [], {
          dtype: graph.typeAttribute(graph.DataType.int32),
          shape: graph.shapeAttribute([]),
        }),
      );
      const loop = callOf(
        `${name}_repeat`,
        [{ name: 'count', type: graph.DataType.int32 }, ...resources],
        [{ name: 'rows', type: graph.DataType.float }],
      );
      nodes.push(
        graph.node(
          repeatNode(name),
          loop.operation,
          [countNode(name), ...handles],
          xla ? { ...loop.attributes, _XlaMustCompile: graph.boolAttribute(true) } : loop.attributes,
        ),
      );
    }
    const runsInLoop = xla && repeatable && named.every((result) => result.type === graph.DataType.float);
    this.compiled.set(name, { results: named, repeatable, runsInLoop });
  }

  private handleOf(name: string): CompiledVariable {
    let variable = this.variables.get(name);
    if (variable === undefined) {
      const { shape, dtype } = tf.engine().registeredVariables[name]!;
      variable = { name, shape, dtype, handle: `v${this.variables.size}` };
      this.variables.set(name, variable);
    }
    return variable;
  }

  private variableNodes(): NodeDef[] {
    const nodes = [graph.node('loaded', 'NoOp', [], {})];
    for (const { handle, shape, dtype, name } of this.variables.values()) {
      const type = dtype === 'int32' ? graph.DataType.int32 : graph.DataType.float;
      const typed = { dtype: graph.typeAttribute(type) };
      nodes.push(
        graph.node(handle, 'VarHandleOp', [], {
          ...typed,
          shape: graph.shapeAttribute(shape),
          shared_name: graph.stringAttribute(name),
        }),
        graph.node(`${handle}_read`, 'ReadVariableOp', [handle], typed),
        graph.node(`${handle}_value`, 'Placeholder', [], { ...typed, shape: graph.shapeAttribute(shape) }),
        graph.node(`${handle}_assign`, 'AssignVariableOp', [handle, `${handle}_value`], typed),
        // Something to fetch: a tensor that waits for the assignment.
        graph.node(`${handle}_assigned`, 'Const', [`^${handle}_assign`], {
          dtype: graph.typeAttribute(graph.DataType.int32),
          value: graph.tensorAttribute([], graph.DataType.int32, new Uint8Array(4)),
        }),
      );
    }
    return nodes;
  }

  // The values move from the tf.Variables into the session, data sets without a copy through JavaScript.
  private adoptVariables(): void {
    const own = [...this.variables.values()];
    if (own.length === 0) return;
    const registered = own.map((variable) => tf.engine().registeredVariables[variable.name]!);
    const ids = registered.map((variable) => this.backend.idOf(variable));
    const fetched = this.backend.binding.runSavedModel(
      this.session,
      ids,
      own.map((v) => `${v.handle}_value:0`).join(','),
      own.map((v) => `${v.handle}_assigned:0`).join(','),
    );
    for (const { id } of fetched) this.backend.binding.deleteTensor(id);
    tf.dispose(registered);
  }

  private call(
    fed: readonly { shape: readonly number[]; dtype: tf.DataType; values: Float32Array | Int32Array }[],
    feedNodes: readonly string[],
    fetches: readonly string[],
  ): ProgramResult[] {
    if (this.disposed) throw disposedProgram();
    // A session refuses a call that fetches nothing: a program without variables has nothing to pull.
    if (fetches.length === 0) return [];
    const { binding } = this.backend;
    const ids = fed.map(({ shape, dtype, values }) => {
      const type = dtype === 'int32' ? binding.TF_INT32 : binding.TF_FLOAT;
      return binding.createTensor(
        [...shape],
        type,
        dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values),
      );
    });
    let fetched: NativeTensor[] = [];
    try {
      fetched = binding.runSavedModel(
        this.session,
        ids,
        feedNodes.map((node) => `${node}:0`).join(','),
        fetches.join(','),
      );
      return fetched.map(({ id, shape }) => ({ shape, values: binding.tensorDataSync(id) }));
    } finally {
      for (const id of ids) binding.deleteTensor(id);
      for (const { id } of fetched) binding.deleteTensor(id);
    }
  }
}

const bodyFunction = (entry: string): string => `${entry}_body`;
const onceFunction = (entry: string): string => `${entry}_once`;
const runNode = (entry: string): string => `${entry}_run`;
const repeatNode = (entry: string): string => `${entry}_repeated`;
const countNode = (entry: string): string => `${entry}_count`;
const inputNode = (entry: string, input: string): string => `${entry}_input/${input}`;

function callOf(
  name: string,
  parameters: readonly graph.Argument[],
  results: readonly graph.Argument[],
): { operation: string; attributes: Parameters<typeof graph.node>[3] } {
  return {
    operation: 'StatefulPartitionedCall',
    attributes: {
      Tin: graph.typeListAttribute(parameters.map((p) => p.type)),
      Tout: graph.typeListAttribute(results.map((r) => r.type)),
      f: graph.functionAttribute(name),
    },
  };
}
