import type { ExperimentConfig } from '../../../server/config/experiment-config';
import type { Training } from '../../../server/experiments/experiment';
import type { VariableValue } from '../../../server/tensorflow/program';

/**
 * A small real training for the tests of what surrounds it: linear regression by stochastic gradient descent in plain
 * JavaScript. All of its state is float32 variables, and its random numbers are keyed by seed and step, as in the
 * experiments. A learning rate above 1 makes it diverge to NaN.
 */
export function noisyRegression(config: ExperimentConfig): Training {
  const { seed, training, evaluation } = config;
  const weights = new Float32Array(dimension);
  const velocity = new Float32Array(dimension);
  const counter = new Float32Array(1);
  const variables: Record<string, VariableValue> = {
    'regression/weights': { shape: [dimension], values: weights },
    'optimizer/velocity': { shape: [dimension, 1], values: velocity },
    step: { shape: [], values: counter },
  };

  const lossAndGradient = (stream: number, batch: number) => {
    const gradient = new Float32Array(dimension);
    let loss = 0;
    for (let example = 0; example < batch; example += 1) {
      const x = Float32Array.from({ length: dimension }, (_, i) => normal(seed, stream, example * dimension + i));
      const noise = 0.1 * normal(seed + 1, stream, example);
      let error = noise;
      for (let i = 0; i < dimension; i += 1) error += (weights[i]! - truth(i)) * x[i]!;
      loss += (error * error) / batch;
      for (let i = 0; i < dimension; i += 1) gradient[i]! += (2 * error * x[i]!) / batch;
    }
    return { loss, gradient };
  };

  return {
    mode: 'eager',
    iterations: training.iterations,
    evaluateEvery: evaluation.every,
    metricNames: ['loss', 'gradientNorm'],
    evaluationMetricNames: ['loss.heldOut', 'infiniteOnPurpose'],
    headline: [
      { metric: 'loss', label: 'loss', digits: 3 },
      { metric: 'loss.heldOut', label: 'held-out', digits: 3 },
    ],
    best: { metric: 'loss.heldOut', better: 'lower' },
    advance: (count) => {
      const rows = new Float32Array(count * 2);
      for (let row = 0; row < count; row += 1) {
        counter[0]! += 1;
        const { loss, gradient } = lossAndGradient(counter[0]!, 8);
        for (let i = 0; i < dimension; i += 1) {
          velocity[i] = 0.9 * velocity[i]! - training.optimizer.learningRate * gradient[i]!;
          weights[i]! += velocity[i]!;
        }
        rows.set([loss, Math.hypot(...gradient)], row * 2);
      }
      return Promise.resolve(rows);
    },
    evaluate: () => {
      const points = Float32Array.from({ length: 400 }, (_, i) => normal(seed + 2, 0, i) + weights[i % dimension]!);
      return Promise.resolve({
        metrics: { 'loss.heldOut': lossAndGradient(0, 64).loss, infiniteOnPurpose: -Infinity },
        samples: { kind: 'points', generated: points, real: points.map((value) => value + 0.5), dimension: 2 },
      });
    },
    readOut: () => {
      const { loss } = lossAndGradient(0, 256);
      return Promise.resolve({
        estimate: loss,
        interval: [loss * 0.9, loss * 1.1] as const,
        unit: 'nats' as const,
        truth: 0.01,
        warnings: ['This is a regression.'],
        metrics: { 'loss.heldOut': loss, firstWeight: weights[0]!, neverSeen: NaN },
      });
    },
    pull: () =>
      new Map(Object.entries(variables).map(([name, { shape, values }]) => [name, { shape, values: values.slice() }])),
    push: (pushed) => {
      for (const [name, { values }] of Object.entries(variables)) {
        const value = pushed.get(name);
        if (value?.values.length !== values.length) throw new Error(`Variable ${name} is missing or of another shape.`);
        values.set(value.values);
      }
    },
    dispose: () => undefined,
  };
}

const dimension = 4;

function truth(index: number): number {
  return index - 1.5;
}

/** Standard normal numbers that depend on nothing but their key. */
function normal(seed: number, stream: number, index: number): number {
  const u = (mixed(seed, stream, 2 * index) + 1) / 2 ** 32;
  const v = mixed(seed, stream, 2 * index + 1) / 2 ** 32;
  return Math.sqrt(-2 * Math.log(Math.min(u, 1))) * Math.cos(2 * Math.PI * v);
}

/** A 32-bit hash (the finaliser of MurmurHash3) of three numbers. */
function mixed(...keys: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const key of keys) {
    hash = Math.imul(hash ^ key, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}
