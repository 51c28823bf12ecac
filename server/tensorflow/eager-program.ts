import * as tf from '@tensorflow/tfjs';
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

/** A program that runs its entries op by op, on whatever backend tfjs has. */
export class EagerProgram<Name extends string> implements Program<Name> {
  private readonly names = new Map<Name, readonly string[]>();
  private readonly variables: readonly tf.Variable[];
  private disposed = false;

  constructor(private readonly entries: Readonly<Record<Name, Entry>>) {
    this.variables = Object.values(tf.engine().registeredVariables);
  }

  run(entry: Name, inputs: Readonly<Record<string, Float32Array | Int32Array>> = {}): Record<string, ProgramResult> {
    return tf.tidy(() => {
      const results = this.execute(entry, inputs);
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [
          name,
          { shape: tensor.shape, values: tensor.dataSync() as Float32Array },
        ]),
      );
    });
  }

  repeat(entry: Name, count: number): Float32Array {
    if (Object.keys(inputsOf(this.entryOf(entry))).length > 0) throw notRepeatable(entry);
    let rows = new Float32Array(0);
    for (let i = 0; i < count; i++) {
      const results = Object.values(this.run(entry));
      if (results.some((result) => result.shape.length > 0)) throw notRepeatable(entry);
      if (i === 0) rows = new Float32Array(count * results.length);
      rows.set(
        results.map((result) => result.values[0]!),
        i * results.length,
      );
    }
    return rows;
  }

  resultNames(entry: Name): readonly string[] {
    let names = this.names.get(entry);
    if (names === undefined) {
      // Only running tells what an entry returns; the variables are put back afterwards.
      const before = this.variables.map((variable) => variable.clone());
      const zeros = Object.entries(inputsOf(this.entryOf(entry))).map(
        ([input, { shape }]) => [input, new Float32Array(shape.reduce((product, dim) => product * dim, 1))] as const,
      );
      names = tf.tidy(() => Object.keys(this.execute(entry, Object.fromEntries(zeros))));
      this.variables.forEach((variable, i) => {
        variable.assign(before[i]!);
      });
      tf.dispose(before);
      this.names.set(entry, names);
    }
    return names;
  }

  pull(): Map<string, VariableValue> {
    return new Map(
      this.variables
        .filter((variable) => !isData(variable.name))
        .map((variable) => [variable.name, { shape: variable.shape, values: Float32Array.from(variable.dataSync()) }]),
    );
  }

  push(values: ReadonlyMap<string, VariableValue>): void {
    const own = this.variables.filter((variable) => !isData(variable.name));
    checkValues(new Map(own.map((variable) => [variable.name, variable.shape])), values);
    for (const variable of own)
      tf.tidy(() => {
        variable.assign(tf.tensor(values.get(variable.name)!.values.slice(), variable.shape, variable.dtype));
      });
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    tf.dispose([...this.variables]);
  }

  private entryOf(name: Name): Entry {
    if (this.disposed) throw disposedProgram();
    // Without the check a name such as "toString" would find what every object has.
    if (!Object.hasOwn(this.entries, name)) throw unknownEntry(name, Object.keys(this.entries));
    return this.entries[name];
  }

  private execute(
    name: Name,
    inputs: Readonly<Record<string, Float32Array | Int32Array>>,
  ): Readonly<Record<string, tf.Tensor>> {
    const entry = this.entryOf(name);
    const specifications = inputsOf(entry);
    checkInputs(name, specifications, inputs);
    const tensors = Object.entries(specifications).map(
      ([input, { shape, dtype }]) => [input, tf.tensor(inputs[input]!, [...shape], dtype)] as const,
    );
    return runEntry(name, entry, Object.fromEntries(tensors));
  }
}
