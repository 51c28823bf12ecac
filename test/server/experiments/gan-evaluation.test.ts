import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { spreadShifts } from '../../../server/estimation/read-out';
import { loadEngineForTests } from '../native-engine';
import { Draws } from './draws';
import { changedNames } from './expect-update';
import { ganForms, prior } from './float64-gan';
import { beside, column, float64, type Matrix, outputs, parameterNames } from './float64-networks';
import { bounds } from './float64-statistics';
import { pointsOf, prepare, steepenStatistics, tiny } from './tiny-gan';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

describe('evaluation and read-out', () => {
  it('leave every variable as it was, bit for bit, the moving averages and the random streams included', async () => {
    const config = tiny({ generator: { weightAveraging: 0.9 } }, 'graph');
    const [watched, undisturbed] = [prepare(config), prepare(config)];
    await watched.advance(5);
    const before = watched.pull();
    await watched.evaluate();
    await watched.readOut();
    await watched.evaluate();
    expect(changedNames(before, watched.pull())).toEqual([]);
    const rows = await watched.advance(5);
    await undisturbed.advance(10);
    expect(changedNames(watched.pull(), undisturbed.pull())).toEqual([]);
    // The variables are all there is: another training that takes them over goes on alike.
    undisturbed.push(before);
    expect(await undisturbed.advance(5)).toEqual(rows);
    expect(changedNames(watched.pull(), undisturbed.pull())).toEqual([]);
    watched.dispose();
    undisturbed.dispose();
  });

  it('are repeatable: the same held-out pairs and shifts give the same numbers exactly', async () => {
    const training = prepare(tiny({}, 'graph'));
    await training.advance(3);
    expect(await training.evaluate()).toEqual(await training.evaluate());
    expect(await training.readOut()).toEqual(await training.readOut());
    training.dispose();
  });

  it('show E_J[T] - log E_M[e^T] of the present weights on fresh samples, over ten shifts of the code', async () => {
    const config = tiny();
    expect(config.evaluation.permutations).toBe(10);
    const training = prepare(config);
    steepenStatistics(training);
    await training.advance(5);
    const values = float64(training.pull());
    const { G, T } = ganForms(config);
    const { heldOutSamples } = config.evaluation;
    const { input, code } = prior(config, new Draws(config.seed, 5, 0), heldOutSamples, 'held-out');
    const x = outputs(G, values, input, 'running');
    const scores = (z: Matrix): number[] => column(outputs(T, values, beside(x, z)));
    const shifts = spreadShifts(10, heldOutSamples);
    expect(new Set(shifts).size).toBe(10);
    const marginal = shifts.flatMap((shift) => scores([...code.slice(shift), ...code.slice(0, shift)]));
    const { metrics } = await training.evaluate();
    expect(Object.keys(metrics)).toEqual(training.evaluationMetricNames);
    expect(metrics['mutualInformation.heldOut']).toBeCloseTo(bounds.mine(scores(code), marginal), 4);
    expect(metrics['mutualInformation.heldOutError']).toBeGreaterThan(0);
    training.dispose();
  });

  it('draw the samples from fixed noise through the present generator', async () => {
    const config = tiny();
    const training = prepare(config);
    await training.advance(4);
    const { samples } = await training.evaluate();
    const { input } = prior(config, new Draws(config.seed, 0), config.evaluation.samples, 'fixed');
    const expected = outputs(ganForms(config).G, float64(training.pull()), input, 'running').flat();
    expect(samples!.dimension).toBe(2);
    samples!.generated.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i]!, 4);
    });
    expect([...samples!.real.slice(0, 20)]).toEqual(pointsOf(config).flat().slice(0, 20));
    training.dispose();
  });

  it('draw with the averaged weights where the configuration averages them', async () => {
    const config = tiny({ generator: { weightAveraging: 0.9 } });
    const training = prepare(config);
    await training.advance(6);
    const { samples } = await training.evaluate();
    const values = float64(training.pull());
    const { G } = ganForms(config);
    for (const name of parameterNames(G)) values.set(name, values.get(name.replace('generator', 'generator-average'))!);
    const { input } = prior(config, new Draws(config.seed, 0), config.evaluation.samples, 'fixed');
    const expected = outputs(G, values, input, 'batch').flat();
    samples!.generated.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i]!, 4);
    });
    training.dispose();
  });

  it('name the unit, give no truth, and say that the information of a continuous code without noise is infinite', async () => {
    const warningsOf = async (generator: object): Promise<string> => {
      const training = prepare(tiny({ generator }));
      await training.advance(1);
      const { unit, truth, interval, estimate, warnings, metrics } = await training.readOut();
      expect([unit, truth]).toEqual(['nats', null]);
      expect(interval[0]).toBeLessThan(estimate);
      expect(interval[1]).toBeGreaterThan(estimate);
      expect(Object.keys(metrics).sort()).toEqual(['highQualityShare', 'jensenShannon', 'modesCaptured', 'reverseKl']);
      training.dispose();
      tf.disposeVariables();
      return warnings.join('\n');
    };
    expect(await warningsOf({ noiseDimension: 0 })).toContain('I(G(code); code) is infinite');
    expect(await warningsOf({})).not.toContain('infinite');
    // At most the code's entropy, ln 8.
    expect(await warningsOf({ noiseDimension: 0, code: 'categorical', codeDimension: 8 })).not.toContain('infinite');
  });
});
