import * as tf from '@tensorflow/tfjs';
import type { NodeDef } from '@tensorflow/tfjs-node/dist/proto/api_pb';
import * as graph from './graph-nodes';

/** A variable of a compiled program. `handle` names its node, and the parameter of every function that uses it. */
export interface ProgramVariable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  readonly handle: string;
}

export const readNode = ({ handle }: ProgramVariable): string => `${handle}_read`;
export const valueNode = ({ handle }: ProgramVariable): string => `${handle}_value`;
export const assignedNode = ({ handle }: ProgramVariable): string => `${handle}_assigned`;

/** The variables that the entries of a program have touched, in the order of their first use. */
export class ProgramVariables {
  private readonly variables = new Map<string, ProgramVariable>();

  get all(): readonly ProgramVariable[] {
    return [...this.variables.values()];
  }

  /** The variable of a registered `tf.Variable`'s name, known from now on. */
  named(name: string): ProgramVariable {
    let variable = this.variables.get(name);
    if (variable === undefined) {
      const { shape, dtype } = tf.engine().registeredVariables[name]!;
      variable = { name, shape, dtype, handle: `v${this.variables.size}` };
      this.variables.set(name, variable);
    }
    return variable;
  }

  /** The nodes that hold, read and assign every variable. */
  nodes(): NodeDef[] {
    return this.all.flatMap((variable) => {
      const { handle, shape, dtype, name } = variable;
      const typed = { dtype: graph.typeAttribute(dtype === 'int32' ? graph.DataType.int32 : graph.DataType.float) };
      return [
        graph.node(handle, 'VarHandleOp', [], {
          ...typed,
          shape: graph.shapeAttribute(shape),
          shared_name: graph.stringAttribute(name),
        }),
        graph.node(readNode(variable), 'ReadVariableOp', [handle], typed),
        graph.node(valueNode(variable), 'Placeholder', [], { ...typed, shape: graph.shapeAttribute(shape) }),
        graph.node(`${handle}_assign`, 'AssignVariableOp', [handle, valueNode(variable)], typed),
        // Something to fetch: a tensor that waits for the assignment.
        graph.node(assignedNode(variable), 'Const', [`^${handle}_assign`], {
          dtype: graph.typeAttribute(graph.DataType.int32),
          value: graph.tensorAttribute([], graph.DataType.int32, new Uint8Array(4)),
        }),
      ];
    });
  }
}
