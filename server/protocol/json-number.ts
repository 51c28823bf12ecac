import { z } from 'zod';

/**
 * A number in a JSON file or message. JSON has no NaN and no infinities, and a metric may well be one of them: they are
 * written as the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, never dropped and never turned into null.
 */
export const jsonNumber = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);
export type JsonNumber = z.infer<typeof jsonNumber>;

export function jsonNumberOf(value: number): JsonNumber {
  return Number.isFinite(value) ? value : (String(value) as 'NaN' | 'Infinity' | '-Infinity');
}

/** Metrics by name, as JSON holds them. */
export const jsonMetrics = z.record(z.string(), jsonNumber);
export type JsonMetrics = z.infer<typeof jsonMetrics>;

export function jsonMetricsOf(metrics: Readonly<Record<string, number>>): JsonMetrics {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, jsonNumberOf(value)]));
}
