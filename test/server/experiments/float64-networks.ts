import type { Activation } from '../../../server/tensorflow/activations';
import type { VariableValue } from '../../../server/tensorflow/program';

/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[];
/** Variables by name, flattened. */
export type Values = ReadonlyMap<string, Float64Array>;
export type Moments = readonly { readonly layer: string; readonly mean: number[]; readonly variance: number[] }[];

/** A fully connected network as the variables' names and the definitions in the literature give it, in plain float64. */
export interface NetworkForm {
  readonly name: string;
  readonly widths: readonly number[];
  readonly activation: Activation;
  readonly leakiness: number;
  readonly batchNormalization: boolean;
}

export function float64(variables: ReadonlyMap<string, VariableValue>): Map<string, Float64Array> {
  return new Map([...variables].map(([name, { values }]) => [name, Float64Array.from(values)]));
}

/** What training changes, in no particular order. */
export function parameterNames({ name, widths, batchNormalization }: NetworkForm): string[] {
  return widths.slice(1).flatMap((_, i) => {
    const layer = `${name}/dense-${i + 1}`;
    const normalized = batchNormalization && i < widths.length - 2;
    const normalization = normalized ? ['scale', 'offset'].map((part) => `${layer}/batch-normalization/${part}`) : [];
    return [`${layer}/kernel`, `${layer}/bias`, ...normalization];
  });
}

/** The network's outputs, batch normalisation with the statistics of the batch or with the running ones. */
export function outputs(
  form: NetworkForm,
  values: Values,
  x: Matrix,
  statistics: 'batch' | 'running' = 'batch',
): Matrix {
  return layerByLayer(form, values, x, statistics).outputs;
}

/** Mean and variance over the batch of what each batch normalisation gets. */
export function batchMoments(form: NetworkForm, values: Values, x: Matrix): Moments {
  return layerByLayer(form, values, x, 'batch').moments;
}

function layerByLayer(
  form: NetworkForm,
  values: Values,
  x: Matrix,
  statistics: 'batch' | 'running',
): { outputs: Matrix; moments: Moments } {
  const moments: { layer: string; mean: number[]; variance: number[] }[] = [];
  let rows = x;
  form.widths.slice(1).forEach((width, i) => {
    const hidden = i < form.widths.length - 2;
    const layer = `${form.name}/dense-${i + 1}`;
    const kernel = values.get(`${layer}/kernel`)!;
    const bias = values.get(`${layer}/bias`)!;
    rows = rows.map((row) =>
      Array.from({ length: width }, (_, j) => row.reduce((sum, v, k) => sum + v * kernel[k * width + j]!, bias[j]!)),
    );
    if (hidden && form.batchNormalization) {
      const part = (name: string): Float64Array => values.get(`${layer}/batch-normalization/${name}`)!;
      const column = (j: number): number[] => rows.map((row) => row[j]!);
      const mean = Array.from({ length: width }, (_, j) => average(column(j)));
      const variance = mean.map((m, j) => average(column(j).map((v) => (v - m) ** 2)));
      moments.push({ layer: `${layer}/batch-normalization`, mean, variance });
      const [centre, spread] =
        statistics === 'batch' ? [mean, variance] : [part('running-mean'), part('running-variance')];
      const [scale, offset] = [part('scale'), part('offset')];
      rows = rows.map((row) =>
        row.map((v, j) => ((v - centre[j]!) / Math.sqrt(spread[j]! + 1e-5)) * scale[j]! + offset[j]!),
      );
    }
    if (hidden) rows = rows.map((row) => row.map((v) => (v > 0 ? v : negativeSide(form, v))));
  });
  return { outputs: rows, moments };
}

function negativeSide({ activation, leakiness }: NetworkForm, v: number): number {
  switch (activation) {
    case 'relu':
      return 0;
    case 'leaky-relu':
      return leakiness * v;
    case 'elu':
      return Math.exp(v) - 1;
  }
}

/** Central differences, with respect to every entry of the named variables. */
export function gradient(
  loss: (values: Values) => number,
  values: Values,
  names: readonly string[],
): Map<string, Float64Array> {
  const h = 1e-6;
  return new Map(
    names.map((name) => {
      const at = (i: number, shift: number): number => {
        const moved = Float64Array.from(values.get(name)!);
        moved[i]! += shift;
        return loss(new Map(values).set(name, moved));
      };
      return [name, values.get(name)!.map((_, i) => (at(i, h) - at(i, -h)) / (2 * h))];
    }),
  );
}

export function average(numbers: readonly number[]): number {
  return numbers.reduce((sum, v) => sum + v, 0) / numbers.length;
}

/** Rows side by side. */
export function beside(left: Matrix, right: Matrix): Matrix {
  return left.map((row, i) => [...row, ...right[i]!]);
}

/** The only column. */
export function column(rows: Matrix): number[] {
  return rows.map((row) => row[0]!);
}
