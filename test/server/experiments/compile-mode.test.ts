import { beforeAll, expect, it } from 'vitest';
import { resolveMode } from '../../../server/experiments/compile-mode';
import { loadEngineForTests } from '../native-engine';

beforeAll(loadEngineForTests);

it.each(['xla', 'graph', 'eager'] as const)('compiles as %s where the configuration says so', (mode) => {
  expect(resolveMode(mode, [{ rows: 10, widths: [2, 3] }])).toBe(mode);
});

it("decides by the largest matrix product where it does not: the paper's networks go to XLA, very wide ones to the graph", () => {
  const paper = { rows: 100, widths: [4, 500, 500, 2] };
  const wide = { rows: 1024, widths: [40, 512, 512, 1] };
  expect(resolveMode('auto', [paper])).toBe('xla');
  expect(resolveMode('auto', [wide])).toBe('graph');
  expect(resolveMode('auto', [paper, wide])).toBe('graph');
});
