import * as tf from '@tensorflow/tfjs';
import type { FunctionDef, NodeDef } from '@tensorflow/tfjs-node/dist/proto/api_pb';
import { CALL, callAttributes } from './function-call';
import * as graph from './graph-nodes';
import type { NativeBackend } from './native-backend';
import type { Entry } from './program';
import { inputsOf, runEntry } from './program-checks';
import type { ProgramVariables } from './program-variables';
import { Recorder } from './recorder';
import { type RepeatableResult, repeatFunctions } from './repeat-functions';

/** Most steps of one `repeat`: the rows of its result are allocated in the graph. */
export const REPEAT_CAPACITY = 128;

/** An entry as functions of a graph, and the nodes that call them. */
export interface RecordedEntry {
  readonly functions: readonly FunctionDef[];
  readonly nodes: readonly NodeDef[];
  readonly results: readonly RepeatableResult[];
  readonly repeatable: boolean;
  /**
   * A single run is a loop of one step too. XLA compiles a step alone and the same step in a loop differently, and the
   * last bits of their results differ.
   */
  readonly runsInLoop: boolean;
}

/**
 * Runs an entry once and records it. Variables that it touches become known to `variables`.
 * @throws RecordingError
 */
export function recordEntry(
  name: string,
  entry: Entry,
  mode: 'xla' | 'graph',
  backend: NativeBackend,
  variables: ProgramVariables,
): RecordedEntry {
  const handles = new Set<string>();
  const recorder = new Recorder(backend, name, (variable) => {
    const { handle } = variables.named(variable);
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
  const xla = (typeof entry === 'function' ? mode : (entry.mode ?? mode)) === 'xla';
  const functions: FunctionDef[] = [];
  const nodes: NodeDef[] = [];
  functions.push(recorder.nodes.define(bodyFunction(name), parameters, results, false));
  // A wrapper is compiled, so that the body can also be called inside of the compiled loop.
  const wrapper = new graph.FunctionNodes();
  const called = wrapper.add(
    CALL,
    parameters.map((parameter) => parameter.name),
    callAttributes(bodyFunction(name), parameters, results, xla ? 'within' : 'inline'),
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
  nodes.push(
    graph.node(
      runNode(name),
      CALL,
      [...inputs.map(({ input }) => inputNode(name, input)), ...handles],
      callAttributes(onceFunction(name), parameters, results, xla ? 'compile' : 'inline'),
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
    const count = { type: graph.DataType.int32 };
    const rows = { type: graph.DataType.float };
    nodes.push(
      graph.node(
        repeatNode(name),
        CALL,
        [countNode(name), ...handles],
        callAttributes(`${name}_repeat`, [count, ...resources], [rows], xla ? 'compile' : 'inline'),
      ),
    );
  }
  const runsInLoop = xla && repeatable && named.every((result) => result.type === graph.DataType.float);
  return { functions, nodes, results: named, repeatable, runsInLoop };
}

const bodyFunction = (entry: string): string => `${entry}_body`;
const onceFunction = (entry: string): string => `${entry}_once`;
export const runNode = (entry: string): string => `${entry}_run`;
export const repeatNode = (entry: string): string => `${entry}_repeated`;
export const countNode = (entry: string): string => `${entry}_count`;
export const inputNode = (entry: string, input: string): string => `${entry}_input/${input}`;
