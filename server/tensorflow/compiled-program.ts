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
  unknownEntry,
} from './program-checks';
import { assignedNode, ProgramVariables, readNode, valueNode } from './program-variables';
import {
  countNode,
  inputNode,
  type RecordedEntry,
  recordEntry,
  REPEAT_CAPACITY,
  repeatNode,
  runNode,
} from './recorded-entry';
import { loadGraph } from './saved-model';

/** The operation that loading a graph runs; there is nothing to do, the variables are fed afterwards. */
const LOADED = 'loaded';

/** Entries recorded into TensorFlow functions, loaded as one session: state is shared, a call chooses by what it fetches. */
export class CompiledProgram<Name extends string> implements Program<Name> {
  private readonly variables = new ProgramVariables();
  private readonly recorded = new Map<Name, RecordedEntry>();
  private readonly session: number;
  private disposed = false;

  constructor(
    private readonly entries: Readonly<Record<Name, Entry>>,
    private readonly backend: NativeBackend,
    mode: 'xla' | 'graph',
    onStage: (stage: string) => void = () => undefined,
  ) {
    const nodes: NodeDef[] = [];
    const functions: FunctionDef[] = [];
    for (const name of Object.keys(entries) as Name[]) {
      onStage(`recording ${name}`);
      const recorded = recordEntry(name, entries[name], mode, backend, this.variables);
      nodes.push(...recorded.nodes);
      functions.push(...recorded.functions);
      this.recorded.set(name, recorded);
    }
    nodes.push(...this.variables.nodes(), graph.node(LOADED, 'NoOp', [], {}));
    this.session = loadGraph(backend.binding, nodes, functions, LOADED);
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
    const own = this.variables.all.filter((variable) => !isData(variable.name));
    const values = this.call(
      [],
      [],
      own.map((variable) => `${readNode(variable)}:0`),
    );
    return new Map(
      own.map((variable, i) => [
        variable.name,
        { shape: variable.shape, values: Float32Array.from(values[i]!.values) },
      ]),
    );
  }

  push(values: ReadonlyMap<string, VariableValue>): void {
    const own = this.variables.all.filter((variable) => !isData(variable.name));
    checkValues(new Map(own.map((variable) => [variable.name, variable.shape])), values);
    const fed = own.map((variable) => ({
      shape: variable.shape,
      dtype: variable.dtype,
      values: values.get(variable.name)!.values,
    }));
    this.call(
      fed,
      own.map(valueNode),
      own.map((variable) => `${assignedNode(variable)}:0`),
    );
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.backend.binding.deleteSavedModel(this.session);
  }

  private entryOf(name: Name): RecordedEntry {
    const entry = this.recorded.get(name);
    if (entry === undefined) throw unknownEntry(name, this.recorded.keys());
    return entry;
  }

  // The values move from the tf.Variables into the session, data sets without a copy through JavaScript.
  private adoptVariables(): void {
    const own = this.variables.all;
    if (own.length === 0) return;
    const registered = own.map((variable) => tf.engine().registeredVariables[variable.name]!);
    const ids = registered.map((variable) => this.backend.idOf(variable));
    const fetched = this.backend.binding.runSavedModel(
      this.session,
      ids,
      own.map((variable) => `${valueNode(variable)}:0`).join(','),
      own.map((variable) => `${assignedNode(variable)}:0`).join(','),
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
