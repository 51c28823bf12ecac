import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ContestantCommand } from './contestant-process';
import type { Contestant, Family } from './contestants';
import { resultRow, resultTable } from './result-rows';
import { timeStep } from './rounds';
import { median } from './spread';

const folder = mkdtempSync(path.join(tmpdir(), 'benchmark-'));
const script = path.join(folder, 'contestant.cjs');

// Speaks the protocol; `speed` ms a step, dies in the turn after `turns` of them.
const contestantScript = `
const [speed, turns] = process.argv.slice(2).map(Number);
console.log(JSON.stringify({ versions: { pretend: '1' }, variants: ['only'] }));
let turn = 0;
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { step, groups } = JSON.parse(line);
  if (step === 'impossible') return console.log(JSON.stringify({ error: 'no compiler' }));
  if (++turn > turns) { console.error('out of memory'); process.exit(3); }
  const times = Array(groups).fill(speed);
  console.log(JSON.stringify({ millisecondsPerStep: times, processorMillisecondsPerStep: speed, metrics: { loss: 1 } }));
});
`;

const command = (speed: number, turns = 1000): ContestantCommand => ({
  program: process.execPath,
  parameters: [script, String(speed), String(turns)],
});
const commands: Record<Family, ContestantCommand> = {
  ours: command(10),
  jax: command(20),
  torch: command(5),
  stock: command(40, 5),
  'ours-graph': { program: process.execPath, parameters: ['-e', 'process.exit(1)'] },
  'ours-eager': { program: path.join(folder, 'missing'), parameters: [] },
};
const contestant = (key: string, family: Family, peer: boolean): Contestant => ({
  key,
  title: key,
  family,
  variant: 'only',
  peer,
});
const chosen = [
  contestant('ours', 'ours', false),
  contestant('jaxJit', 'jax', true),
  contestant('torchCompile', 'torch', true),
  contestant('stockTfjsNode', 'stock', false),
  contestant('oursGraph', 'ours-graph', false),
  contestant('oursEager', 'ours-eager', false),
];
const options = { rounds: 7, secondsPerTurn: 0.1, onProgress: () => undefined };

beforeAll(() => {
  writeFileSync(script, contestantScript);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('timing a step', () => {
  test('whoever cannot start, cannot do the step or dies is left out and says why; the others are timed', async () => {
    const result = await timeStep('step', chosen, commands, options);

    expect([...result.times.keys()]).toEqual(['ours', 'jaxJit', 'torchCompile']);
    expect(result.times.get('jaxJit')).toEqual(Array(7).fill(20));
    expect(result.failures.get('stockTfjsNode')).toContain('out of memory');
    expect(result.failures.get('oursGraph')).toContain('exit code 1');
    expect(result.failures.get('oursEager')).toContain('could not be started');

    const row = resultRow('step', 'A step', chosen, result);
    expect(row).toMatchObject({ ours: 10, jaxJit: 20, torchCompile: 5, stockTfjsNode: null });
    expect(row).toMatchObject({ best: 'torchCompile', ratioToBest: 2, ratios: { jaxJit: 0.5, torchCompile: 2 } });
    const table = resultTable(row, chosen);
    expect(table).toContain('| torchCompile (best peer) | 5.00 | 5.00 - 5.00 | 2.00 | 5.00 |');
    expect(table).toContain('oursGraph: not measured');
  });

  test('a step that nobody can do gives a row without numbers', async () => {
    const result = await timeStep('impossible', chosen.slice(0, 2), commands, options);
    const row = resultRow('impossible', 'None', chosen.slice(0, 2), result);
    expect(row).toMatchObject({ ours: null, jaxJit: null, ratioToBest: null, best: null });
    expect(row.failures).toEqual({ ours: 'no compiler', jaxJit: 'no compiler' });
  });
});

test('a ratio is the median of the ratios within rounds, not the ratio of medians', () => {
  const times = new Map([
    ['ours', [10, 30, 10]],
    ['jaxJit', [10, 20, 20]],
  ]);
  const row = resultRow('step', 'A step', chosen.slice(0, 2), {
    times,
    processorTimes: times,
    failures: new Map(),
    versions: {},
  });
  expect(row).toMatchObject({ ours: 10, jaxJit: 20, ratioToBest: 1 });
});

test('median', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(() => median([])).toThrow('no median');
});
