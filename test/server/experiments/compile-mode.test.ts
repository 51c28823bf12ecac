import { beforeAll, expect, it } from 'vitest';
import { resolveMode } from '../../../server/experiments/compile-mode';
import { loadEngineForTests } from '../native-engine';

beforeAll(loadEngineForTests);

it.each(['xla', 'graph', 'eager'] as const)('compiles as %s where the configuration says so', (mode) => {
  expect(resolveMode(mode)).toBe(mode);
});

it('compiles dense networks with XLA where the configuration leaves it open', () => {
  expect(resolveMode('auto')).toBe('xla');
});
