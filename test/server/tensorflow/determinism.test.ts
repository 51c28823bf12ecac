import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadEngineForTests } from '../native-engine';
import { prepareSmall, smallExperiments } from './small-experiments';

beforeAll(loadEngineForTests);
afterEach(() => {
  tf.disposeVariables();
});

describe.each(['eager', 'graph', 'xla'] as const)('in mode %s', (mode) => {
  it.each(smallExperiments(mode))('$name repeats itself bit for bit', async ({ config }) => {
    const first = await prepareSmall(config);
    expect(first.mode).toBe(mode);
    const initial = first.pull();
    const rows = await first.advance(6);
    expect(rows.length).toBe(6 * first.metricNames.length);
    expect(rows.every(Number.isFinite)).toBe(true);
    const saved = first.pull();
    expect(saved).not.toEqual(initial);

    // Evaluating changes nothing, neither the variables nor what comes after.
    const evaluation = await first.evaluate();
    const readOut = await first.readOut();
    expect(first.pull()).toEqual(saved);
    expect(await first.evaluate()).toEqual(evaluation);
    const later = await first.advance(6);
    const end = first.pull();
    first.dispose();

    // A fresh program resumes from the saved state, in pieces of other sizes.
    const second = await prepareSmall(config);
    expect(second.pull()).toEqual(initial);
    second.push(saved);
    expect(await second.evaluate()).toEqual(evaluation);
    expect(await second.readOut()).toEqual(readOut);
    const pieces = [await second.advance(1), await second.advance(4), await second.advance(1)];
    expect(pieces.flatMap((piece) => [...piece])).toEqual([...later]);
    expect(second.pull()).toEqual(end);

    // And trains from the start as the first did.
    second.push(initial);
    expect(await second.advance(6)).toEqual(rows);
    expect(second.pull()).toEqual(saved);
    second.dispose();
  });
});

describe('another seed', () => {
  it.each([0, 1])('gives other weights and other metrics (experiment %i)', async (index) => {
    const results = [];
    for (const seed of [3, 4]) {
      const training = await prepareSmall(smallExperiments('eager', seed)[index]!.config);
      const weights = [...training.pull()].filter(([name]) => /^[a-z]+\/dense-\d\/kernel$/.test(name));
      results.push({ weights, rows: await training.advance(1) });
      training.dispose();
    }
    const [third, fourth] = results;
    expect(third!.weights.length).toBeGreaterThan(2);
    for (const [i, [name, value]] of third!.weights.entries())
      expect(value.values, name).not.toEqual(fourth!.weights[i]![1].values);
    expect(third!.rows).not.toEqual(fourth!.rows);
  });
});
