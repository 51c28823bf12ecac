import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mutualInformationConfig } from '../../../server/config/mutual-information';
import { prepareMutualInformation } from '../../../server/experiments/mutual-information';
import { loadEngineForTests } from '../native-engine';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

describe('training on fresh samples reaches', () => {
  async function trained(
    changes: object,
  ): Promise<{ estimate: number; truth: number; interval: readonly [number, number]; warnings: string }> {
    const training = await prepareMutualInformation(
      mutualInformationConfig.parse({ experiment: 'mutual-information', ...changes }),
      {
        folder: '.',
        onPreparing: () => undefined,
      },
    );
    await training.advance(training.iterations);
    const { estimate, truth, interval, warnings } = await training.readOut();
    training.dispose();
    tf.disposeVariables();
    return { estimate, truth: truth!, interval, warnings: warnings.join('\n') };
  }
  const quick = {
    iterations: 2500,
    batchSize: 256,
    optimizer: { kind: 'adam', learningRate: 2e-3 },
    learningRateSchedule: 'cosine',
  };
  const statisticsNetwork = { hidden: [64, 64] };

  it.each([
    { dimension: 1, correlation: 0.9, truth: 0.8304, share: 0.03 },
    { dimension: 2, correlation: 0.7, truth: 0.6733, share: 0.03 },
    { dimension: 1, correlation: -0.5, truth: 0.1438, share: 0.05 },
  ])('$truth nats of $dimension dimensions of correlation $correlation', async ({ truth, share, ...data }) => {
    const result = await trained({ data: { kind: 'gaussian', ...data }, training: quick, statisticsNetwork });
    expect(result.truth).toBeCloseTo(truth, 4);
    expect(Math.abs(result.estimate - truth)).toBeLessThan(share * truth);
    expect(result.interval[1] - result.interval[0]).toBeLessThan(0.03);
    expect(result.warnings).not.toContain('over-fits');
  });

  it('that of Y = sin X + noise in two dimensions', async () => {
    const data = { kind: 'nonlinear', function: 'sine', noise: 0.5 };
    const { estimate, truth } = await trained({ data, training: quick, statisticsNetwork });
    expect(truth).toBeCloseTo(0.729, 2);
    expect(Math.abs(estimate - truth)).toBeLessThan(0.03 * truth);
  });

  it('0 of independent variables', async () => {
    const data = { kind: 'gaussian', dimension: 2, correlation: 0 };
    const { estimate, interval } = await trained({ data, training: { ...quick, iterations: 600 }, statisticsNetwork });
    expect(Math.abs(estimate)).toBeLessThan(0.01);
    expect(interval[1] - interval[0]).toBeLessThan(0.02);
  });

  it('with MINE, and less with MINE-f', async () => {
    const data = { kind: 'gaussian', dimension: 10, correlation: 0.7 };
    const training = { ...quick, iterations: 1500 };
    const [mine, mineF] = [
      await trained({ data, training, statisticsNetwork }),
      await trained({ data, training, statisticsNetwork, mutualInformation: { bound: 'mine-f' } }),
    ];
    expect(mineF.estimate).toBeLessThan(mine.estimate);
    expect(mine.estimate).toBeLessThan(mine.truth);
    expect(mine.estimate).toBeGreaterThan(0.8 * mine.truth);
  });
});
