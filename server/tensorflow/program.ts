import type * as tf from '@tensorflow/tfjs';
import { CompiledProgram } from './compiled-program';
import { EagerProgram } from './eager-program';
import { nativeBackend } from './native-backend';

/** Variables under this name hold data sets: they are part of a program, but not of its checkpoints. */
export const DATA_PREFIX = 'data/';

export interface InputSpecification {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
}

/** An entry: ordinary tfjs code over `tf.Variable`s and its inputs. It reads no values and returns tensors by name. */
export type EntryBody = (inputs: Readonly<Record<string, tf.Tensor>>) => Readonly<Record<string, tf.Tensor>>;

export type Entry = EntryBody | EntryDefinition;

export interface EntryDefinition {
  readonly inputs?: Readonly<Record<string, InputSpecification>>;
  readonly body: EntryBody;
  /** How this entry is compiled, where it is not the program's mode. */
  readonly mode?: 'xla' | 'graph';
}

export interface ProgramResult {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Uint8Array;
}

export interface VariableValue {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * Named entries over shared variables. The program owns every variable that an entry touches: their values live in it
 * from the moment it is made, and the `tf.Variable`s themselves are disposed.
 */
export interface Program<Name extends string> {
  /** Runs an entry once. @throws if an input is missing, unknown or of another shape. */
  run(entry: Name, inputs?: Readonly<Record<string, Float32Array | Int32Array>>): Record<string, ProgramResult>;
  /** Runs an entry of scalars `count` times in one call; returns row-major `[count, number of results]`. */
  repeat(entry: Name, count: number): Float32Array;
  /** Names of an entry's results, in the order of `repeat`'s columns. */
  resultNames(entry: Name): readonly string[];
  /** Values of all variables but data sets. */
  pull(): Map<string, VariableValue>;
  /** Sets variables. @throws if one is missing, unknown or of another shape, naming it; then nothing has changed. */
  push(values: ReadonlyMap<string, VariableValue>): void;
  dispose(): void;
}

/** `xla`: each entry is one XLA computation. `graph`: TensorFlow's executor, its fused kernels and oneDNN. `eager`: op by op. */
export type ProgramMode = 'xla' | 'graph' | 'eager';

export interface ProgramOptions {
  readonly mode: ProgramMode;
  /** Told what is being done: "recording train". */
  readonly onStage?: ((stage: string) => void) | undefined;
}

/**
 * Records each entry once and compiles all of them into one program. Where tfjs runs without the native engine the
 * same entries run eagerly.
 * @throws RecordingError naming the operation and the line if an entry reads values or cannot be recorded.
 */
export function compileProgram<Name extends string>(
  entries: Readonly<Record<Name, Entry>>,
  options: ProgramOptions,
): Program<Name> {
  const backend = nativeBackend();
  if (backend === undefined || options.mode === 'eager') return new EagerProgram(entries);
  return new CompiledProgram(entries, backend, options.mode, options.onStage);
}
