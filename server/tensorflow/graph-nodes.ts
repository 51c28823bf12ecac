import * as proto from '@tensorflow/tfjs-node/dist/proto/api_pb';
import operationOutputs from './operation-outputs.json';

/** TensorFlow's numbers for the types of tensors, as the C API and the protocol buffers have them. */
export const DataType = { float: 1, int32: 3, string: 7, bool: 10, resource: 20 } as const;

const outputNames: Readonly<Record<string, readonly string[]>> = operationOutputs;
const encoder = new TextEncoder();

function attribute(fill: (value: proto.AttrValue) => void): proto.AttrValue {
  const value = new proto.AttrValue();
  fill(value);
  return value;
}

export function shapeProto(shape: readonly number[]): proto.TensorShape {
  const result = new proto.TensorShape();
  for (const size of shape) {
    const dim = new proto.TensorShape.Dim();
    dim.setSize(size);
    result.addDim(dim);
  }
  return result;
}

export const typeAttribute = (type: number): proto.AttrValue =>
  attribute((a) => {
    a.setType(type);
  });
export const boolAttribute = (value: boolean): proto.AttrValue =>
  attribute((a) => {
    a.setB(value);
  });
export const intAttribute = (value: number): proto.AttrValue =>
  attribute((a) => {
    a.setI(value);
  });
export const floatAttribute = (value: number): proto.AttrValue =>
  attribute((a) => {
    a.setF(value);
  });
export const stringAttribute = (value: string): proto.AttrValue =>
  attribute((a) => {
    a.setS(encoder.encode(value));
  });
export const shapeAttribute = (shape: readonly number[]): proto.AttrValue =>
  attribute((a) => {
    a.setShape(shapeProto(shape));
  });

export function intListAttribute(values: readonly number[]): proto.AttrValue {
  const list = new proto.AttrValue.ListValue();
  list.setIList(values);
  return attribute((a) => {
    a.setList(list);
  });
}

export function typeListAttribute(types: readonly number[]): proto.AttrValue {
  const list = new proto.AttrValue.ListValue();
  list.setTypeList(types);
  return attribute((a) => {
    a.setList(list);
  });
}

export function functionAttribute(name: string): proto.AttrValue {
  const list = new proto.NameAttrList();
  list.setName(name);
  return attribute((a) => {
    a.setFunc(list);
  });
}

export function tensorAttribute(shape: readonly number[], type: number, bytes: Uint8Array): proto.AttrValue {
  const tensor = new proto.Tensor();
  tensor.setDtype(type);
  tensor.setTensorShape(shapeProto(shape));
  tensor.setTensorContent(bytes);
  return attribute((a) => {
    a.setTensor(tensor);
  });
}

export function node(
  name: string,
  operation: string,
  inputs: readonly string[],
  attributes: Readonly<Record<string, proto.AttrValue>>,
): proto.NodeDef {
  const result = new proto.NodeDef();
  result.setName(name);
  result.setOp(operation);
  result.setInputList([...inputs]);
  for (const [key, value] of Object.entries(attributes)) result.getAttrMap().set(key, value);
  return result;
}

/** A parameter or result of a function: its name and type. */
export interface Argument {
  readonly name: string;
  readonly type: number;
}

/** The nodes of one function of a graph. Names are unique inside it; `output` is written as functions want it: `node:output:index`. */
export class FunctionNodes {
  private readonly nodes: proto.NodeDef[] = [];

  get size(): number {
    return this.nodes.length;
  }

  /** Adds a node and returns its name. */
  add(operation: string, inputs: readonly string[], attributes: Readonly<Record<string, proto.AttrValue>>): string {
    const name = `${operation}_${this.nodes.length}`;
    this.nodes.push(node(name, operation, inputs, attributes));
    return name;
  }

  /** Makes the node `waiting`, added before, run after the node `first`. */
  addControlEdge(first: string, waiting: string): void {
    this.nodes.find((added) => added.getName() === waiting)!.addInput(`^${first}`);
  }

  constant(shape: readonly number[], type: number, bytes: Uint8Array): string {
    return `${this.add('Const', [], { dtype: typeAttribute(type), value: tensorAttribute(shape, type, bytes) })}:output:0`;
  }

  intConstant(value: number): string {
    return this.constant([], DataType.int32, new Uint8Array(Int32Array.of(value).buffer));
  }

  floatConstant(value: number): string {
    return this.constant([], DataType.float, new Uint8Array(Float32Array.of(value).buffer));
  }

  /** The function. Variables change although no result depends on them, so it is stateful; `mustCompile` makes it one XLA computation. */
  define(
    name: string,
    parameters: readonly Argument[],
    results: readonly (Argument & { readonly value: string })[],
    mustCompile: boolean,
  ): proto.FunctionDef {
    const signature = new proto.OpDef();
    signature.setName(name);
    signature.setInputArgList(parameters.map(argument));
    signature.setOutputArgList(results.map(argument));
    signature.setIsStateful(true);
    const definition = new proto.FunctionDef();
    definition.setSignature(signature);
    definition.setNodeDefList(this.nodes);
    for (const result of results) definition.getRetMap().set(result.name, result.value);
    if (mustCompile) definition.getAttrMap().set('_XlaMustCompile', boolAttribute(true));
    return definition;
  }
}

function argument({ name, type }: Argument): proto.OpDef.ArgDef {
  const result = new proto.OpDef.ArgDef();
  result.setName(name);
  result.setType(type);
  return result;
}

/**
 * How a function refers to the `index`-th output of a node.
 * @throws if TensorFlow's registry has no such operation or output.
 */
export function outputReference(nodeName: string, operation: string, index: number): string {
  const names = outputNames[operation];
  if (names === undefined)
    throw new Error(
      `operation ${operation} is not in operation-outputs.json: run test/oracle/operation-outputs.py with this TensorFlow`,
    );
  // A list takes every output from its position on; no operation used here has anything behind a list.
  const list = names.findIndex((name) => name.endsWith('*'));
  if (list >= 0 && index >= list) return `${nodeName}:${names[list]!.slice(0, -1)}:${index - list}`;
  const name = names[index];
  if (name === undefined) throw new Error(`operation ${operation} has no output ${index}`);
  return `${nodeName}:${name}:0`;
}
