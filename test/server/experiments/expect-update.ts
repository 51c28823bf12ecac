import { expect } from 'vitest';
import type { VariableValue } from '../../../server/tensorflow/program';
import type { Values } from './float64-networks';

/**
 * Every variable has changed as expected: to 1e-4 of its largest change, and to the rounding of its float32 values.
 * Entries without a gradient but for rounding are left out where Adam makes full steps of that rounding.
 */
export function expectUpdate(
  actual: ReadonlyMap<string, VariableValue>,
  { from, to }: { from: Values; to: Values },
): void {
  expect([...actual.keys()].sort()).toEqual([...to.keys()].sort());
  const steepest = steepestByNetwork(to);
  for (const [name, expected] of to) {
    const before = from.get(name)!;
    const [, first] = [...to].find(([other]) => other.endsWith(`first-moment/${name}`)) ?? [];
    const compared = (v: number, i: number): number =>
      first !== undefined && Math.abs(first[i]!) < 1e-4 * steepest(name) ? 0 : v;
    const change = largest(expected.map((v, i) => compared(v - before[i]!, i)));
    const error = largest(expected.map((v, i) => compared(v - actual.get(name)!.values[i]!, i)));
    const rounding = 2e-7 * scaleOf(name, expected, steepest(name));
    expect(error, `${name}: largest change ${change}`).toBeLessThanOrEqual(1e-4 * change + rounding);
  }
}

/** What the rounding of float32 arithmetic on a variable is relative to. */
function scaleOf(name: string, expected: Float64Array, steepest: number): number {
  // A logarithm is as exact as what it is taken of, a bound as its two terms, a gradient as the largest of the network.
  if (name.includes('/log-') || name === 'smoothed-bound') return Math.max(1, largest(expected));
  if (name.includes('/first-moment/')) return 10 * steepest;
  if (name.includes('/second-moment/')) return 10 * steepest ** 2;
  return largest(expected);
}

/** The largest first moment of Adam in the network that a variable belongs to. */
function steepestByNetwork(values: Values): (name: string) => number {
  const network = (name: string): string => name.replace(/^.*-moment\//, '').replace(/\/.*$/, '');
  return (name) =>
    Math.max(
      0,
      ...[...values]
        .filter(([other]) => other.includes('/first-moment/') && network(other) === network(name))
        .map(([, moments]) => largest(moments)),
    );
}

/** Each metric to 1e-4 of itself. */
export function expectMetrics(
  actual: Readonly<Record<string, number>>,
  expected: Readonly<Record<string, number>>,
): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, value] of Object.entries(expected))
    expect(Math.abs(actual[name]! - value), `${name}: ${actual[name]} for ${value}`).toBeLessThanOrEqual(
      1e-4 * Math.abs(value) + 1e-6,
    );
}

/** The names of the variables that differ in at least one bit. */
export function changedNames(
  before: ReadonlyMap<string, VariableValue>,
  after: ReadonlyMap<string, VariableValue>,
): string[] {
  return [...before.keys()].filter((name) => !bitsOf(before.get(name)!).equals(bitsOf(after.get(name)!))).sort();
}

function bitsOf({ values }: VariableValue): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function largest(numbers: Float64Array): number {
  // NaN must not hide behind a comparison.
  return numbers.reduce((most, v) => (Math.abs(v) <= most ? most : Math.abs(v)), 0);
}
