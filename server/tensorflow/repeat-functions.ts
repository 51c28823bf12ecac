import type { FunctionDef } from '@tensorflow/tfjs-node/dist/proto/api_pb';
import { CALL, callAttributes } from './function-call';
import * as graph from './graph-nodes';

export interface RepeatableResult {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
}

const { int32, float, bool } = graph.DataType;

/**
 * Three functions that call `body` `count` times in a `While` and stack its scalar results into `[capacity, results]`:
 * the loop `NAME_repeat`, its condition and its step. One call of the session then trains many steps.
 */
export function repeatFunctions(
  name: string,
  body: string,
  resources: readonly graph.Argument[],
  results: readonly RepeatableResult[],
  capacity: number,
  mustCompile: boolean,
): FunctionDef[] {
  const width = results.length;
  const state: readonly graph.Argument[] = [
    { name: 'i', type: int32 },
    { name: 'count', type: int32 },
    { name: 'rows', type: float },
    ...resources,
  ];

  const condition = new graph.FunctionNodes();
  const less = condition.add('Less', ['i', 'count'], { T: graph.typeAttribute(int32) });

  const step = new graph.FunctionNodes();
  const called = step.add(
    CALL,
    resources.map((r) => r.name),
    callAttributes(body, resources, results, mustCompile ? 'within' : 'inline'),
  );
  const scalars = results.map(({ type }, i) =>
    type === float
      ? `${called}:output:${i}`
      : `${step.add('Cast', [`${called}:output:${i}`], { SrcT: graph.typeAttribute(type), DstT: graph.typeAttribute(float) })}:y:0`,
  );
  const packed = step.add('Pack', scalars, {
    N: graph.intAttribute(width),
    T: graph.typeAttribute(float),
    axis: graph.intAttribute(0),
  });
  const shapeOfRow = step.constant([2], int32, new Uint8Array(Int32Array.of(1, width).buffer));
  const row = step.add('Reshape', [`${packed}:output:0`, shapeOfRow], {
    T: graph.typeAttribute(float),
    Tshape: graph.typeAttribute(int32),
  });
  const shapeOfIndex = step.constant([2], int32, new Uint8Array(Int32Array.of(1, 1).buffer));
  const index = step.add('Reshape', ['i', shapeOfIndex], {
    T: graph.typeAttribute(int32),
    Tshape: graph.typeAttribute(int32),
  });
  const rows = step.add('TensorScatterUpdate', ['rows', `${index}:output:0`, `${row}:output:0`], {
    T: graph.typeAttribute(float),
    Tindices: graph.typeAttribute(int32),
  });
  const next = step.add('AddV2', ['i', step.intConstant(1)], { T: graph.typeAttribute(int32) });

  const loop = new graph.FunctionNodes();
  const empty = loop.constant([capacity, width], float, new Uint8Array(4 * capacity * width));
  const looped = loop.add('While', [loop.intConstant(0), 'count', empty, ...resources.map((r) => r.name)], {
    T: graph.typeListAttribute(state.map((s) => s.type)),
    cond: graph.functionAttribute(`${name}_condition`),
    body: graph.functionAttribute(`${name}_step`),
    parallel_iterations: graph.intAttribute(1),
    // As for calls that are inlined: the loop's nodes join the graph before it is optimised.
    ...(mustCompile ? {} : { _lower_using_switch_merge: graph.boolAttribute(true) }),
  });

  return [
    condition.define(`${name}_condition`, state, [{ name: 'go', type: bool, value: `${less}:z:0` }], false),
    step.define(
      `${name}_step`,
      state,
      state.map((s, i) => ({
        name: `${s.name}_next`,
        type: s.type,
        value: i === 0 ? `${next}:z:0` : i === 2 ? `${rows}:output:0` : s.name,
      })),
      false,
    ),
    loop.define(
      `${name}_repeat`,
      [{ name: 'count', type: int32 }, ...resources],
      [{ name: 'rows', type: float, value: `${looped}:output:2` }],
      mustCompile,
    ),
  ];
}
