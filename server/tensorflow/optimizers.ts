import * as tf from '@tensorflow/tfjs';
import type { OptimizerConfig } from '../config/common';
import { activeRecorder } from './recorder';

/**
 * Applies gradients to named variables. Its own state is variables too, so that checkpoints hold it.
 * Used inside an entry: `apply` changes variables, recorded or run.
 */
export interface Optimizer {
  /** One step down `gradients`, the learning rate multiplied by `rateFactor` (a schedule's value in [0, 1]). */
  apply(gradients: readonly tf.Tensor[], rateFactor?: tf.Scalar): void;
}

/** The optimiser that a configuration describes, for `variables`; `name` prefixes the names of its state. */
export function createOptimizer(config: OptimizerConfig, variables: readonly tf.Variable[], name: string): Optimizer {
  switch (config.kind) {
    case 'adam':
      return new Adam(config, variables, name);
    case 'sgd':
      return new GradientDescent(config.learningRate, variables);
  }
}

/**
 * Adam (Kingma & Ba, 2015) as TensorFlow has it: the bias corrections are in the step size, and epsilon, the paper's "epsilon
 * hat", is added to the root of the uncorrected second moment. One fused kernel per variable when recorded.
 */
class Adam implements Optimizer {
  private readonly slots: readonly { variable: tf.Variable; first: tf.Variable; second: tf.Variable }[];
  private readonly beta1Power: tf.Variable;
  private readonly beta2Power: tf.Variable;

  constructor(
    private readonly config: Extract<OptimizerConfig, { kind: 'adam' }>,
    variables: readonly tf.Variable[],
    name: string,
  ) {
    const slot = (kind: string, variable: tf.Variable): tf.Variable =>
      tf.tidy(() => tf.variable(tf.zerosLike(variable), false, `${name}/${kind}/${variable.name}`));
    this.slots = variables.map((variable) => ({
      variable,
      first: slot('first-moment', variable),
      second: slot('second-moment', variable),
    }));
    const power = (beta: number, kind: string): tf.Variable =>
      tf.tidy(() => tf.variable(tf.scalar(beta), false, `${name}/${kind}`));
    this.beta1Power = power(config.beta1, 'beta1-power');
    this.beta2Power = power(config.beta2, 'beta2-power');
  }

  apply(gradients: readonly tf.Tensor[], rateFactor?: tf.Scalar): void {
    tf.tidy(() => {
      const { learningRate, beta1, beta2, epsilon } = this.config;
      const rate = rateFactor === undefined ? tf.scalar(learningRate) : tf.mul(rateFactor, learningRate);
      const scalars = [this.beta1Power, this.beta2Power, rate, tf.scalar(beta1), tf.scalar(beta2), tf.scalar(epsilon)];
      this.slots.forEach(({ variable, first, second }, i) => {
        const gradient = gradients[i]!;
        const compute = (): tf.Tensor[] => this.values(variable, first, second, rate, gradient);
        const recorder = activeRecorder();
        if (recorder !== undefined) {
          recorder.update('ResourceApplyAdam', [variable, first, second], [...scalars, gradient], compute);
        } else {
          const values = compute();
          [variable, first, second].forEach((target, j) => {
            target.assign(values[j]!);
          });
        }
      });
      this.beta1Power.assign(tf.mul(this.beta1Power, beta1));
      this.beta2Power.assign(tf.mul(this.beta2Power, beta2));
    });
  }

  private values(
    variable: tf.Variable,
    first: tf.Variable,
    second: tf.Variable,
    rate: tf.Tensor,
    gradient: tf.Tensor,
  ): [tf.Tensor, tf.Tensor, tf.Tensor] {
    const { beta1, beta2, epsilon } = this.config;
    const step = tf.div(tf.mul(rate, tf.sqrt(tf.sub(1, this.beta2Power))), tf.sub(1, this.beta1Power));
    const newFirst = tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1));
    const newSecond = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    return [tf.sub(variable, tf.div(tf.mul(step, newFirst), tf.add(tf.sqrt(newSecond), epsilon))), newFirst, newSecond];
  }
}

class GradientDescent implements Optimizer {
  constructor(
    private readonly learningRate: number,
    private readonly variables: readonly tf.Variable[],
  ) {}

  apply(gradients: readonly tf.Tensor[], rateFactor: tf.Scalar = tf.scalar(1)): void {
    tf.tidy(() => {
      this.variables.forEach((variable, i) => {
        variable.assign(tf.sub(variable, tf.mul(tf.mul(rateFactor, this.learningRate), gradients[i]!)));
      });
    });
  }
}
