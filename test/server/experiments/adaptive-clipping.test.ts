import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { clipAdaptively } from '../../../server/experiments/adaptive-clipping';
import { globalNorm } from '../../../server/tensorflow/gradients';
import { loadEngineForTests } from '../native-engine';

beforeAll(loadEngineForTests);

describe('the norm of a gradient', () => {
  it('is taken over all tensors together: of gradients 3 and 4 it is 5, in either order', () => {
    const [three, four] = [tf.tensor1d([3]), tf.tensor1d([4])];
    expect(globalNorm([three, four]).dataSync()[0]).toBe(5);
    expect(globalNorm([four, three]).dataSync()[0]).toBe(5);
  });

  it('counts every entry of every tensor, whatever its shape', () => {
    const gradients = [
      tf.tensor2d([
        [1, -2],
        [2, 4],
      ]),
      tf.tensor1d([-4, 2, 2]),
      tf.scalar(0),
    ];
    expect(globalNorm(gradients).dataSync()[0]).toBe(7);
    expect(globalNorm(gradients.reverse()).dataSync()[0]).toBe(7);
  });
});

describe('adaptive clipping, g_a = min(||g_u||, ||g_m||) g_m / ||g_m||', () => {
  const clip = (adversarial: number, information: number, clipping: 'adaptive' | 'none' = 'adaptive') => {
    const clipped = clipAdaptively(tf.scalar(adversarial), tf.scalar(information), clipping);
    return Object.fromEntries(
      Object.entries(clipped).map(([name, value]) => [name, (value as tf.Scalar).dataSync()[0]!]),
    );
  };

  it('scales the larger gradient of the mutual information down to the norm of the adversarial one', () => {
    expect(clip(2, 8)).toEqual({ adversarialNorm: 2, informationNorm: 8, ratio: 4, factor: 0.25, clipped: 1 });
  });

  it('never scales a smaller one up', () => {
    expect(clip(8, 2)).toEqual({ adversarialNorm: 8, informationNorm: 2, ratio: 0.25, factor: 1, clipped: 0 });
    expect(clip(3, 3)).toMatchObject({ factor: 1, clipped: 0 });
  });

  it('gives zero for a gradient of zero, and for an adversarial one of zero, without dividing by it', () => {
    expect(clip(2, 0)).toMatchObject({ factor: 0, ratio: 0, clipped: 0 });
    expect(clip(0, 2)).toMatchObject({ factor: 0, clipped: 1 });
    expect(clip(0, 0)).toMatchObject({ factor: 0, ratio: 0, clipped: 0 });
  });

  it('shows norms, ratio and what would have been clipped also where it is off', () => {
    expect(clip(2, 8, 'none')).toEqual({ adversarialNorm: 2, informationNorm: 8, ratio: 4, factor: 1, clipped: 1 });
  });
});
