import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { logMeanExp } from '../../../server/estimation/bounds/log-mean-exp';
import { activate, leakyRelu } from '../../../server/tensorflow/activations';
import { gatherRows } from '../../../server/tensorflow/gather';
import { globalNorm, gradientsOf } from '../../../server/tensorflow/gradients';
import { compileProgram, type ProgramMode, type ProgramResult } from '../../../server/tensorflow/program';
import oracle from '../../oracle/operations.json';

type Operation = (...inputs: tf.Tensor[]) => tf.Tensor;

/** The operations of operations.json, as tfjs code over its inputs. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  matMul: (a, b) => tf.matMul(a, b),
  matMulTransposed: (a, b) => tf.matMul(a, b, true, true),
  matMulBatched: (a, b) => tf.matMul(a, b),
  add: (a, b) => tf.add(a, b),
  sub: (a, b) => tf.sub(a, b),
  mul: (a, b) => tf.mul(a, b),
  div: (a, b) => tf.div(a, b),
  addScalar: (a) => tf.add(a, 2.5),
  mulIntegers: (a, b) => tf.mul(a, b),
  addN: (a, b, c) => tf.addN([a, b, c]),
  neg: (x) => tf.neg(x),
  exp: (x) => tf.exp(x),
  expm1: (x) => tf.expm1(x),
  log: (x) => tf.log(x),
  log1p: (x) => tf.log1p(x),
  sqrt: (x) => tf.sqrt(x),
  rsqrt: (x) => tf.rsqrt(x),
  square: (x) => tf.square(x),
  pow: (a, b) => tf.pow(a, b),
  squaredDifference: (a, b) => tf.squaredDifference(a, b),
  abs: (x) => tf.abs(x),
  sign: (x) => tf.sign(x),
  sin: (x) => tf.sin(x),
  cos: (x) => tf.cos(x),
  tanh: (x) => tf.tanh(x),
  floor: (x) => tf.floor(x),
  mod: (a, b) => tf.mod(a, b),
  modIntegers: (a, b) => tf.mod(a, b),
  relu: (x) => activate(x, 'relu'),
  elu: (x) => activate(x, 'elu'),
  leakyRelu: (x) => leakyRelu(x, 0.1),
  softplus: (x) => tf.softplus(tf.mul(x, 8)),
  sigmoid: (x) => tf.sigmoid(x),
  logSigmoid: (x) => tf.logSigmoid(x),
  clip: (x) => tf.clipByValue(x, -0.5, 0.75),
  sum: (x) => tf.sum(x),
  sumOverAxis: (x) => tf.sum(x, 1),
  mean: (x) => tf.mean(x),
  meanOverAxes: (x) => tf.mean(x, [0, 2], true),
  max: (x) => tf.max(x),
  maxOverAxis: (x) => tf.max(x, -1),
  minOverAxis: (x) => tf.min(x, 0),
  argMax: (x) => tf.argMax(x, 1),
  logSumExp: (x) => tf.logSumExp(tf.mul(x, 20), 1),
  concat: (a, b, c) => tf.concat([a, b, c], 1),
  slice: (x) => tf.slice(x, [1, 2], [2, 3]),
  stack: (a, b) => tf.stack([a, b], 1),
  unstack: (x) => {
    const [first, second, third] = tf.unstack(x);
    return tf.sub(tf.mul(third!, first!), second!);
  },
  split: (x) => {
    const [first, second, rest] = tf.split(x, [1, 2, 3], 1);
    return tf.sub(rest!, tf.mul(tf.slice(second!, [0, 0], [3, 1]), first!));
  },
  reshape: (x) => tf.reshape(x, [2, 6]),
  expandDims: (x) => tf.expandDims(x, 1),
  transpose: (x) => tf.transpose(x, [2, 0, 1]),
  reverse: (x) => tf.reverse(x, 1),
  cumsum: (x) => tf.cumsum(x, 1),
  tile: (x) => tf.tile(x, [2, 3]),
  pad: (x) =>
    tf.pad(x, [
      [1, 0],
      [2, 1],
    ]),
  broadcastTo: (x) => tf.broadcastTo(x, [2, 3, 4]),
  gatherRows: (x, indices) => gatherRows(x, indices),
  gatherIntegerRows: (x, indices) => gatherRows(x, indices),
  oneHot: (indices) => tf.oneHot(indices, 4),
  range: (x) => tf.add(x, tf.range(0, 4, 1, 'int32')),
  where: (c, a, b) => tf.where(tf.greater(c, tf.scalar(0, 'int32')), a, b),
  less: (a, b) => tf.less(a, b),
  greater: (a, b) => tf.greater(a, b),
  greaterEqual: (a, b) => tf.greaterEqual(a, b),
  equal: (a, b) => tf.equal(a, b),
  logicalAnd: (a, b) => tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0)),
  minimum: (a, b) => tf.minimum(a, b),
  maximum: (a, b) => tf.maximum(a, b),
  castToFloat: (x) => tf.mul(tf.cast(x, 'float32'), 0.5),
  castToInteger: (x) => tf.cast(tf.mul(x, 8), 'int32'),
  softmax: (x) => tf.softmax(x),
  logSoftmax: (x) => tf.logSoftmax(x),
  softmaxCrossEntropy: (labels, logits) => tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 4), logits),
  batchNormalization: (x, scale, offset) => {
    const mean = tf.mean(x, 0);
    const centred = tf.sub(x, mean);
    const variance = tf.mean(tf.square(centred), 0);
    return tf.add(tf.mul(centred, tf.mul(tf.rsqrt(tf.add(variance, 1e-5)), scale)), offset);
  },
  globalNorm: (a, b) => globalNorm([a, b]),
  logMeanExp: (x) => logMeanExp(tf.mul(x, 20)),
  conv2d: (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same'),
  conv2dStride2: (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 2, 'same'),
  conv2dTranspose: (x, filter) => tf.conv2dTranspose(x as tf.Tensor4D, filter as tf.Tensor4D, [2, 6, 6, 3], 2, 'same'),
};

const tensorSchema = z.strictObject({
  dtype: z.enum(['float32', 'int32', 'bool']),
  shape: z.array(z.int()),
  values: z.array(z.number()),
});
type OracleTensor = z.infer<typeof tensorSchema>;
const rowSchema = z.strictObject({
  inputs: z.array(tensorSchema),
  value: tensorSchema,
  weights: tensorSchema.optional(),
  gradients: z.record(z.string(), tensorSchema).optional(),
});
const rows = z.record(z.string(), rowSchema).parse(oracle);
/** Names of the oracle's operations. */
export const OPERATION_NAMES = Object.keys(rows);

const toTensor = ({ values, shape, dtype }: OracleTensor): tf.Tensor => tf.tensor(values, shape, dtype);

/**
 * Computes operations, all of them in one entry over variables that hold their inputs: for each its results by name, the
 * value and the gradients of its weighted sum. One entry, because TensorFlow optimises the whole graph for every entry anew.
 */
export function runOperations(names: readonly string[], mode: ProgramMode): Map<string, Record<string, ProgramResult>> {
  const bodies = names.map((name) => [name, operationBody(name)] as const);
  const program = compileProgram(
    {
      all: () =>
        Object.fromEntries(
          bodies.flatMap(([name, body]) =>
            Object.entries(body()).map(([result, tensor]) => [`${name}:${result}`, tensor] as const),
          ),
        ),
    },
    { mode },
  );
  const found = new Map<string, Record<string, ProgramResult>>(names.map((name) => [name, {}]));
  for (const [key, result] of Object.entries(program.run('all'))) {
    const [name, part] = key.split(':');
    found.get(name!)![part!] = result;
  }
  program.dispose();
  return found;
}

function operationBody(name: string): () => Record<string, tf.Tensor> {
  const { inputs, weights, gradients = {} } = rows[name]!;
  const operation = OPERATIONS[name]!;
  const variables = inputs.map((input, i) => tf.tidy(() => tf.variable(toTensor(input), true, `${name}-${i}`)));
  return () => {
    const value = operation(...variables);
    if (weights === undefined) return { value };
    const targets = Object.keys(gradients).map((i) => variables[Number(i)]!);
    const loss = (): tf.Scalar => tf.sum(tf.mul(operation(...variables), toTensor(weights)));
    const computed = gradientsOf(loss, targets).gradients;
    return { value, ...Object.fromEntries(Object.keys(gradients).map((i, k) => [`gradient${i}`, computed[k]!])) };
  };
}

/** What an operation should return. */
export function expectedResults(name: string): Record<string, OracleTensor> {
  const { value, gradients = {} } = rows[name]!;
  const named = Object.entries(gradients).map(([i, gradient]) => [`gradient${i}`, gradient] as const);
  return { value, ...Object.fromEntries(named) };
}

interface Values {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** The first difference beyond float32 rounding, or undefined. */
export function difference(
  actual: Readonly<Record<string, Values>>,
  expected: Readonly<Record<string, Values>>,
): string | undefined {
  for (const [result, { shape, values }] of Object.entries(expected)) {
    const found = actual[result];
    if (found === undefined) return `${result} is missing`;
    if (found.shape.join() !== shape.join())
      return `${result} has shape [${found.shape.join()}], not [${shape.join()}]`;
    const largest = Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    for (let i = 0; i < values.length; i++) {
      const allowed = 1e-5 * Math.abs(values[i]!) + 1e-6 * largest;
      // Not "greater than", which NaN would pass.
      if (!(Math.abs(found.values[i]! - values[i]!) <= allowed))
        return `${result}[${i}] is ${found.values[i]}, not ${values[i]}`;
    }
  }
  return undefined;
}
