import * as tf from '@tensorflow/tfjs';

export type Activation = (x: tf.Tensor) => tf.Tensor;

export interface PairScores {
  readonly joint: tf.Tensor;
  readonly marginal: tf.Tensor;
}

export class Dense {
  readonly variables: tf.Variable[];

  constructor(
    widths: readonly number[],
    private readonly activation: Activation,
  ) {
    this.variables = widths.slice(1).flatMap((width, i) => {
      const limit = 1 / Math.sqrt(widths[i]!);
      return [tf.variable(tf.randomUniform([widths[i]!, width], -limit, limit)), tf.variable(tf.zeros([width]))];
    });
  }

  apply(x: tf.Tensor): tf.Tensor {
    let values = x;
    for (let i = 0; i < this.variables.length; i += 2) {
      values = values.matMul(this.variables[i]!).add(this.variables[i + 1]!);
      if (i < this.variables.length - 2) values = this.activation(values);
    }
    return values;
  }

  pairScores(x: tf.Tensor, z: tf.Tensor, zMarginal: tf.Tensor): PairScores {
    const both = tf.concat([tf.concat([x, z], 1), tf.concat([x, zMarginal], 1)], 0);
    const [joint, marginal] = tf.split(this.apply(both), 2) as [tf.Tensor, tf.Tensor];
    return { joint, marginal };
  }
}

/** With batch normalisation after each hidden layer. */
export class NormalizedDense {
  readonly variables: tf.Variable[];
  private readonly running: tf.Variable[];

  constructor(
    private readonly widths: readonly number[],
    private readonly activation: Activation,
  ) {
    const hidden = widths.slice(1, -1);
    this.variables = [
      ...new Dense(widths, activation).variables,
      ...hidden.flatMap((width) => [tf.variable(tf.ones([width])), tf.variable(tf.zeros([width]))]),
    ];
    this.running = hidden.flatMap((width) => [
      tf.variable(tf.zeros([width]), false),
      tf.variable(tf.ones([width]), false),
    ]);
  }

  apply(x: tf.Tensor, movesAverages: boolean): tf.Tensor {
    const layers = this.widths.length - 1;
    let values = x;
    for (let layer = 0; layer < layers; layer++) {
      values = values.matMul(this.variables[2 * layer]!).add(this.variables[2 * layer + 1]!);
      if (layer === layers - 1) return values;
      const { mean, variance } = tf.moments(values, 0);
      if (movesAverages)
        [mean, variance].forEach((value, i) => {
          const average = this.running[2 * layer + i]!;
          average.assign(average.mul(0.9).add(value.mul(0.1)));
        });
      const [scale, offset] = this.variables.slice(2 * (layers + layer), 2 * (layers + layer) + 2) as [
        tf.Variable,
        tf.Variable,
      ];
      values = this.activation(values.sub(mean).mul(variance.add(1e-5).rsqrt()).mul(scale).add(offset));
    }
    return values;
  }
}

export function logMeanExp(values: tf.Tensor): tf.Scalar {
  return tf.logSumExp(values).sub(Math.log(values.size));
}

/** The Donsker-Varadhan bound with the moving average of E[exp T] in the denominator of its gradient. */
export class Mine {
  private readonly logAverage = tf.variable(tf.scalar(0), false);
  private readonly bound = tf.variable(tf.scalar(0), false);

  constructor(private readonly rate: number) {}

  get lastBound(): tf.Tensor {
    return this.bound;
  }

  loss({ joint, marginal }: PairScores): tf.Scalar {
    const batch = logMeanExp(marginal);
    const moved: tf.Scalar = tf.logSumExp(
      tf.stack([this.logAverage.add(Math.log1p(-this.rate)), batch.add(Math.log(this.rate))]),
    );
    this.logAverage.assign(moved);
    this.bound.assign(tf.mean(joint).sub(batch));
    return tf.mean(tf.exp(tf.sub(marginal, this.logAverage))).sub(tf.mean(joint));
  }
}
