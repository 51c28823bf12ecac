import { configurationSchema, schemaAt } from './json-schema';
import type { ConfigProblem } from './problems';

/** Names that would reach into JavaScript's own objects instead of the configuration. */
const reserved: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'constructor']);

/**
 * Applies `--set path=value` to a configuration as read from a file. The value is JSON, or else a text as it stands:
 * `data.correlation=0.7`, `generator.hidden=[500,500]`, `name=two modes`. A part of the path that the file leaves out
 * starts from its default, so that one field of a defaulted object can be set. Whether the fields exist and the values
 * fit is checked with the rest of the configuration.
 */
export function withOverrides(
  value: unknown,
  assignments: readonly string[],
): { value: unknown; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const changed = structuredClone(value);
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    const path = assignment.slice(0, Math.max(equals, 0)).split('.');
    if (path.some((key) => key === '' || reserved.has(key))) {
      problems.push({
        path: ['--set'],
        message: `${assignment} is not of the form path=value, as in data.correlation=0.7.`,
      });
    } else if (!assign(changed, path, parsedValue(assignment.slice(equals + 1)))) {
      problems.push({ path, message: 'cannot be set: what holds it is not an object.' });
    }
  }
  return { value: changed, problems };
}

function parsedValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function assign(root: unknown, path: readonly string[], value: unknown): boolean {
  let holder = root;
  for (const [depth, key] of path.entries()) {
    if (typeof holder !== 'object' || holder === null) return false;
    // A list may be given as a whole, or changed at an index that it has.
    if (Array.isArray(holder) && !(key in holder)) return false;
    const fields = holder as Record<string, unknown>;
    if (depth === path.length - 1) fields[key] = value;
    else fields[key] ??= defaultOf(path.slice(0, depth + 1), root);
    holder = fields[key];
  }
  return true;
}

function defaultOf(path: readonly string[], root: unknown): unknown {
  return structuredClone(schemaAt(configurationSchema(), path, root)?.default) ?? {};
}
