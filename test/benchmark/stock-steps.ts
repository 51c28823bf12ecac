import * as tf from '@tensorflow/tfjs';
import { stockDcganDiscriminator } from './dcgan-discriminator';
import type { RunSteps } from './product-training';
import { type Activation, Dense, logMeanExp, Mine, NormalizedDense } from './stock-networks';
import type { GanStep, MutualInformationStep, StepSpecification } from './steps';

type TakeStep = () => Record<string, tf.Tensor>;

/**
 * The steps as one writes them with tfjs-node's documentation alone: `tf.train.adam`, `tf.randomNormal`, nothing recorded.
 * The native engine below is the same as ours, TensorFlow 2.21 instead of stock tfjs-node's 2.9.
 */
export function stockStep(step: StepSpecification): RunSteps {
  const take = takeStep(step);
  return (iterations) => {
    let metrics: Record<string, number> = {};
    for (let i = 0; i < iterations; i++)
      metrics = tf.tidy(() => {
        const results = take();
        if (i < iterations - 1) return {};
        return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, value.dataSync()[0]!]));
      });
    return Promise.resolve(metrics);
  };
}

function takeStep(step: StepSpecification): TakeStep {
  switch (step.kind) {
    case 'mutual-information':
      return mutualInformation(step);
    case 'gan':
      return gan(step);
    case 'dcgan-discriminator':
      return stockDcganDiscriminator(step);
  }
}

function mutualInformation(step: MutualInformationStep): TakeStep {
  const { dimension, correlation, batchSize } = step;
  const network = new Dense([2 * dimension, ...step.hidden, 1], (x) => tf.relu(x));
  const mine = new Mine(step.movingAverageRate);
  const adam = tf.train.adam(step.learningRate, step.beta1);
  return () => {
    const draw = (): tf.Tensor => tf.randomNormal([batchSize, dimension]);
    const x = draw();
    const z = x.mul(correlation).add(draw().mul(Math.sqrt(1 - correlation ** 2)));
    const marginal = draw();
    adam.minimize(() => mine.loss(network.pairScores(x, z, marginal)), false, network.variables);
    return { bound: mine.lastBound };
  };
}

function gan(step: GanStep): TakeStep {
  const { batchSize, noiseDimension, codeDimension, leakiness } = step;
  const leaky: Activation = (x) => tf.leakyRelu(x, leakiness);
  const G = new NormalizedDense([noiseDimension + codeDimension, ...step.generatorHidden, 2], leaky);
  const D = new Dense([2, ...step.discriminatorHidden, 1], leaky);
  const T = new Dense([2 + codeDimension, ...step.statisticsNetworkHidden, 1], leaky);
  const mine = new Mine(step.movingAverageRate);
  const adam = (): tf.AdamOptimizer => tf.train.adam(step.learningRate, step.beta1);
  const [adamG, adamD, adamT] = [adam(), adam(), adam()];
  const cells = tf.randomUniform([step.examples, 2], 0, step.side).floor();
  const centres = cells.sub((step.side - 1) / 2).mul(step.spacing);
  const examples = centres.add(tf.randomNormal([step.examples, 2], 0, step.standardDeviation));

  return () => {
    const prior = (): { latent: tf.Tensor; code: tf.Tensor } => {
      const code = tf.randomNormal([batchSize, codeDimension]);
      return { code, latent: tf.concat([tf.randomNormal([batchSize, noiseDimension]), code], 1) };
    };
    const marginalCode = (): tf.Tensor => tf.randomNormal([batchSize, codeDimension]);

    const { latent, code } = prior();
    const fake = G.apply(latent, false);
    const rows = tf.randomUniform<tf.Rank.R1>([batchSize], 0, step.examples, 'int32');
    const real = tf.gather(examples, rows);
    const lossD = adamD.minimize(
      () => tf.add(tf.mean(tf.softplus(D.apply(real).neg())), tf.mean(tf.softplus(D.apply(fake)))),
      true,
      D.variables,
    )!;
    adamT.minimize(() => mine.loss(T.pairScores(fake, code, marginalCode())), false, T.variables);

    const fresh = prior();
    const marginal = marginalCode();
    const adversarial = tf.variableGrads(
      () => tf.mean(tf.softplus(D.apply(G.apply(fresh.latent, true)).neg())),
      G.variables,
    );
    const information = tf.variableGrads(() => {
      const { joint, marginal: scores } = T.pairScores(G.apply(fresh.latent, false), fresh.code, marginal);
      return logMeanExp(scores).sub(tf.mean(joint));
    }, G.variables);
    const globalNorm = (gradients: tf.NamedTensorMap): tf.Tensor =>
      tf.sqrt(tf.addN(Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)))));
    const normU = globalNorm(adversarial.grads);
    const normM = globalNorm(information.grads);
    const scale = tf.mul(tf.div(tf.minimum(normU, normM), normM), step.mutualInformationWeight);
    adamG.applyGradients(
      Object.fromEntries(
        Object.entries(adversarial.grads).map(([name, u]) => [
          name,
          tf.add(u, tf.mul(scale, information.grads[name]!)),
        ]),
      ),
    );
    return { discriminator: lossD, generator: adversarial.value, bound: mine.lastBound, normU, normM };
  };
}
