import type * as tf from '@tensorflow/tfjs';
import { DATA_PREFIX, type Entry, type InputSpecification, type VariableValue } from './program';

export function inputsOf(entry: Entry): Readonly<Record<string, InputSpecification>> {
  return typeof entry === 'function' ? {} : (entry.inputs ?? {});
}

/** @throws if the entry returns nothing: a session runs only what is fetched. */
export function runEntry(
  name: string,
  entry: Entry,
  inputs: Readonly<Record<string, tf.Tensor>>,
): Readonly<Record<string, tf.Tensor>> {
  const results = typeof entry === 'function' ? entry(inputs) : entry.body(inputs);
  if (Object.keys(results).length === 0) throw new Error(`"${name}" returns no tensors: return at least one`);
  return results;
}

export function unknownEntry(name: string, known: Iterable<string>): Error {
  return new Error(`the program has no entry "${name}"; it has: ${[...known].join(', ')}`);
}

export function notRepeatable(name: string): Error {
  return new Error(`"${name}" cannot be repeated: it has inputs or results that are not scalars`);
}

export function disposedProgram(): Error {
  return new Error('the program has been disposed');
}

export function isData(variable: string): boolean {
  return variable.startsWith(DATA_PREFIX);
}

/** @throws if an input is missing, unknown, or has another number of values than its shape. */
export function checkInputs(
  entry: string,
  specifications: Readonly<Record<string, InputSpecification>>,
  inputs: Readonly<Record<string, { readonly length: number }>>,
): void {
  for (const name of Object.keys(inputs)) {
    if (!(name in specifications))
      throw new Error(`"${entry}" has no input "${name}"; it has: ${Object.keys(specifications).join(', ') || 'none'}`);
  }
  for (const [name, { shape }] of Object.entries(specifications)) {
    const size = shape.reduce((product, dim) => product * dim, 1);
    const given = inputs[name]?.length;
    if (given === undefined) throw new Error(`"${entry}" needs its input "${name}" of shape [${shape.join(', ')}]`);
    if (given !== size)
      throw new Error(
        `input "${name}" of "${entry}" has ${given} values; its shape [${shape.join(', ')}], fixed when it was recorded, needs ${size}`,
      );
  }
}

/** @throws if a variable is missing, unknown, of another shape, or has another number of values than its shape. */
export function checkValues(
  shapes: ReadonlyMap<string, readonly number[]>,
  values: ReadonlyMap<string, VariableValue>,
): void {
  for (const name of values.keys())
    if (!shapes.has(name))
      throw new Error(`there is no variable "${name}" in this program: the values belong to another configuration`);
  for (const [name, shape] of shapes) {
    const value = values.get(name);
    if (value === undefined) throw new Error(`the value of variable "${name}" is missing`);
    if (value.shape.join() !== shape.join())
      throw new Error(`variable "${name}" has shape [${shape.join(', ')}], its value [${value.shape.join(', ')}]`);
    const size = shape.reduce((product, dim) => product * dim, 1);
    if (value.values.length !== size)
      throw new Error(
        `the value of variable "${name}" of shape [${shape.join(', ')}] has ${value.values.length} numbers, not ${size}`,
      );
  }
}
