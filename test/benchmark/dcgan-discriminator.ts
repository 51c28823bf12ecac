import * as tf from '@tensorflow/tfjs';
import type { ExecutionConfig } from '../../server/config/common';
import { leakyRelu } from '../../server/tensorflow/activations';
import { globalNorm, gradientsOf } from '../../server/tensorflow/gradients';
import { compileProgram, DATA_PREFIX } from '../../server/tensorflow/program';
import type { RunSteps } from './product-training';
import type { DcganDiscriminatorStep } from './steps';

type Activation = (x: tf.Tensor) => tf.Tensor;

/**
 * Loss and gradients of the DCGAN discriminator on one stored batch of images; the gradients' global norm is returned, so
 * that none of them can be left out. Same-padding, which shifts every window by one pixel against the peers' symmetric
 * padding of 2; sizes and arithmetic are equal.
 */
function discriminator(step: DcganDiscriminatorStep, activation: Activation): () => Record<string, tf.Tensor> {
  const { size, batchSize, kernelSize, filters } = step;
  const initial = (shape: number[], name: string): tf.Variable =>
    tf.variable(tf.randomNormal(shape, 0, 0.02), true, name);
  const channels = [step.channels, ...filters];
  const layers = filters.map((width, i) => ({
    kernel: initial([kernelSize, kernelSize, channels[i]!, width], `kernel-${i}`),
    bias: tf.variable(tf.zeros([width]), true, `bias-${i}`),
  }));
  const side = filters.reduce((length) => Math.ceil(length / 2), size);
  const output = {
    kernel: initial([side * side * channels.at(-1)!, 1], 'output-kernel'),
    bias: tf.variable(tf.zeros([1]), true, 'output-bias'),
  };
  const images = tf.variable(
    tf.randomUniform([batchSize, size, size, step.channels], -1, 1),
    false,
    `${DATA_PREFIX}images`,
  );
  const variables = [...layers, output].flatMap(({ kernel, bias }) => [kernel, bias]);

  const score = (): tf.Tensor => {
    const features = layers.reduce<tf.Tensor>(
      (x, { kernel, bias }) =>
        activation(tf.add(tf.conv2d(x as tf.Tensor4D, kernel as unknown as tf.Tensor4D, 2, 'same'), bias)),
      images,
    );
    return tf.add(
      tf.matMul(tf.reshape(features, [batchSize, -1]), output.kernel as unknown as tf.Tensor2D),
      output.bias,
    );
  };
  return () => {
    const { value, gradients } = gradientsOf(() => tf.mean(tf.softplus(tf.neg(score()))), variables);
    return { loss: value, norm: globalNorm(gradients) };
  };
}

/** On the product's engine. Without an explicit choice the plain graph: XLA's convolutions are slow on a CPU. */
export function dcganDiscriminator(
  step: DcganDiscriminatorStep,
  compile: ExecutionConfig['compile'],
  singleCalls: boolean,
): RunSteps {
  const train = discriminator(step, (x) => leakyRelu(x, step.leakiness));
  const program = compileProgram({ train }, { mode: compile === 'auto' ? 'graph' : compile });
  const names = program.resultNames('train');
  return (iterations) => {
    let rows: Float32Array = new Float32Array(0);
    if (singleCalls) for (let i = 0; i < iterations; i++) rows = program.repeat('train', 1);
    else rows = program.repeat('train', iterations);
    const last = rows.subarray(rows.length - names.length);
    return Promise.resolve(Object.fromEntries(names.map((name, i) => [name, last[i]!])));
  };
}

/** As plain tfjs-node code: op by op, tfjs's own LeakyReLU. */
export function stockDcganDiscriminator(step: DcganDiscriminatorStep): () => Record<string, tf.Tensor> {
  return discriminator(step, (x) => tf.leakyRelu(x, step.leakiness));
}
