import { describe, expect, it } from 'vitest';
import { nonlinearPairs } from '../../../../server/config/mutual-information';
import { additiveNoiseMutualInformation } from '../../../../server/datasets/pairs/additive-noise-information';
import { gaussianMutualInformation } from '../../../../server/datasets/pairs/gaussian-pairs';
import { NonlinearPairs } from '../../../../server/datasets/pairs/nonlinear-pairs';
import quadrature from '../../../oracle/additive-noise.json';

describe('correlated Gaussians: -(d/2) ln(1 - rho^2), to the four printed decimals', () => {
  const dimensions = [1, 2, 3, 5, 10, 20, 50];
  const table: Record<string, number[]> = {
    '0': [0, 0, 0, 0, 0, 0, 0],
    '0.1': [0.005, 0.0101, 0.0151, 0.0251, 0.0503, 0.1005, 0.2513],
    '0.2': [0.0204, 0.0408, 0.0612, 0.1021, 0.2041, 0.4082, 1.0205],
    '0.3': [0.0472, 0.0943, 0.1415, 0.2358, 0.4716, 0.9431, 2.3578],
    '0.4': [0.0872, 0.1744, 0.2615, 0.4359, 0.8718, 1.7435, 4.3588],
    '0.5': [0.1438, 0.2877, 0.4315, 0.7192, 1.4384, 2.8768, 7.1921],
    '0.6': [0.2231, 0.4463, 0.6694, 1.1157, 2.2314, 4.4629, 11.1572],
    '0.7': [0.3367, 0.6733, 1.01, 1.6834, 3.3667, 6.7334, 16.8336],
    '0.75': [0.4133, 0.8267, 1.24, 2.0667, 4.1334, 8.2668, 20.667],
    '0.8': [0.5108, 1.0217, 1.5325, 2.5541, 5.1083, 10.2165, 25.5413],
    '0.9': [0.8304, 1.6607, 2.4911, 4.1518, 8.3037, 16.6073, 41.5183],
    '0.95': [1.164, 2.3279, 3.4919, 5.8198, 11.6395, 23.279, 58.1976],
    '0.99': [1.9585, 3.917, 5.8756, 9.7926, 19.5852, 39.1704, 97.9259],
  };

  it.each(Object.entries(table))('rho = %s', (rho, row) => {
    row.forEach((value, i) => {
      expect(Math.abs(gaussianMutualInformation(dimensions[i]!, Number(rho)) - value)).toBeLessThan(0.6e-4);
      expect(gaussianMutualInformation(dimensions[i]!, -Number(rho))).toBe(
        gaussianMutualInformation(dimensions[i]!, Number(rho)),
      );
    });
  });

  it('the staircase 2, 4, 6, 8, 10 nats of 20 dimensions', () => {
    [0.4258, 0.5742, 0.6717, 0.7421, 0.7951].forEach((rho, i) => {
      expect(gaussianMutualInformation(20, rho)).toBeCloseTo(2 * (i + 1), 2);
    });
  });
});

describe('Y = f(X) + sigma noise', () => {
  const table = {
    identity: [3.334, 2.129, 1.498, 1.104, 0.837, 0.651, 0.517, 0.418, 0.344],
    cube: [2.499, 1.464, 0.939, 0.636, 0.451, 0.334, 0.256, 0.202, 0.162],
    sine: [3.071, 1.93, 1.341, 0.974, 0.729, 0.56, 0.441, 0.354, 0.29],
  };
  const truthOf = (config: object): number =>
    new NonlinearPairs(nonlinearPairs.parse({ kind: 'nonlinear', ...config })).truth;

  it.each(Object.entries(table))('of two dimensions, f = %s, has the table of Fig. 2', (name, row) => {
    row.forEach((value, i) => {
      expect(Math.abs(truthOf({ function: name, noise: (i + 1) / 10 }) - value)).toBeLessThan(1.5e-3);
    });
  });

  it.each(quadrature)(
    'f = $function, sigma = $noise: $information nats by adaptive quadrature',
    ({ information, ...config }) => {
      expect(Math.abs(truthOf({ ...config, dimension: 1 }) - information)).toBeLessThan(1e-4);
    },
  );

  it('grows with the number of independent coordinates', () => {
    expect(truthOf({ dimension: 5 })).toBeCloseTo(5 * truthOf({ dimension: 1 }), 12);
  });

  it('approaches ln(2 / (sigma sqrt(2 pi e))) for little noise, 1 / (6 sigma^2) for much', () => {
    const identity = (x: number): number => x;
    const little = Math.log(2 / (0.002 * Math.sqrt(2 * Math.PI * Math.E)));
    expect(additiveNoiseMutualInformation(identity, 0.002)).toBeCloseTo(little, 2);
    expect(additiveNoiseMutualInformation(identity, 20)).toBeCloseTo(0.5 * Math.log1p(1 / 3 / 400), 4);
  });
});
