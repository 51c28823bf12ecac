import type { AttrValue } from '@tensorflow/tfjs-node/dist/proto/api_pb';
import * as graph from './graph-nodes';

/** The operation that calls a function of the graph which changes variables. */
export const CALL = 'StatefulPartitionedCall';

/**
 * How a call is carried out. `compile`: the function, and all it calls, is one XLA computation. `within`: the call stands
 * inside of such a function. `inline`: the function's nodes take the call's place before the graph is optimised; without
 * it oneDNN's kernels never reach them, and a convolution takes eight times as long.
 */
export type CallKind = 'compile' | 'within' | 'inline';

export function callAttributes(
  name: string,
  parameters: readonly Pick<graph.Argument, 'type'>[],
  results: readonly Pick<graph.Argument, 'type'>[],
  kind: CallKind,
): Record<string, AttrValue> {
  return {
    Tin: graph.typeListAttribute(parameters.map((parameter) => parameter.type)),
    Tout: graph.typeListAttribute(results.map((result) => result.type)),
    f: graph.functionAttribute(name),
    ...(kind === 'compile' ? { _XlaMustCompile: graph.boolAttribute(true) } : {}),
    ...(kind === 'inline' ? { _lower_as_multi_device_function: graph.boolAttribute(true) } : {}),
  };
}
