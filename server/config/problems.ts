import type { z } from 'zod';
import { childOf, chosenAlternatives, configurationSchema, fieldNames, type JsonSchema, schemaAt } from './json-schema';
import { isSameName, nearestName } from './nearest-name';

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  readonly path: readonly PropertyKey[];
  /** What is wrong and what to do, without the path. */
  readonly message: string;
}

/** `training.optimizer.kind`; `configuration` for the whole of it. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'configuration' : path.map(String).join('.');
}

/** Turns what zod found into problems a user can act on: what is allowed there, the default, the field that was meant. */
export function configProblems(error: z.ZodError, value: unknown): ConfigProblem[] {
  const schema = configurationSchema();
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownField(schema, [...issue.path, key], value))
      : [wrongValue(schema, issue.path, value, issue.message)],
  );
}

/** @param path of a field that the schema does not have. */
export function unknownField(schema: JsonSchema, path: readonly PropertyKey[], value: unknown): ConfigProblem {
  const name = String(path.at(-1));
  const parentPath = path.slice(0, -1);
  const parent = schemaAt(schema, parentPath, value);
  const siblings = parent ? fieldNames(parent, valueAt(value, parentPath)) : [];
  const near = nearestName(name, siblings);
  if (near !== null) return { path, message: `unknown field; did you mean ${pathText([...parentPath, near])}?` };
  const elsewhere = [...new Set(pathsOf(name, schema, value).map(pathText))].slice(0, 3);
  if (elsewhere.length > 0) {
    return { path, message: `unknown field here; did you mean ${elsewhere.join(' or ')}?` };
  }
  const allowed = siblings.length > 0 ? `${pathText(parentPath)} has ${siblings.join(', ')}` : 'remove it';
  return { path, message: `unknown field; ${allowed}.` };
}

function wrongValue(
  schema: JsonSchema,
  path: readonly PropertyKey[],
  value: unknown,
  otherwise: string,
): ConfigProblem {
  const field = schemaAt(schema, path, value);
  const found = valueAt(value, path);
  if (field === null) return { path, message: `${otherwise}.` };
  const given = found === undefined ? 'is missing' : `is ${shortened(found)}`;
  const fallback =
    field.default === undefined || field.type === 'object' ? '' : `; left out it is ${shortened(field.default)}`;
  return { path, message: `${given}, but must be ${allowedText(field)}${fallback}.` };
}

/** "a whole number from 2 to 65536". */
export function allowedText(schema: JsonSchema): string {
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives) return [...new Set(alternatives.map(allowedText))].join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  switch (schema.type ?? 'object') {
    case 'integer':
      return `a whole number${rangeText(schema)}`;
    case 'number':
      return `a number${rangeText(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return `a text${lengthText(schema.minLength, schema.maxLength, 'character')}`;
    case 'array': {
      const items = schema.items ? `, each ${allowedText(schema.items)}` : '';
      return `a list${lengthText(schema.minItems, schema.maxItems, 'item')}${items}`;
    }
    default:
      return 'an object';
  }
}

function rangeText({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const bounds = [
    exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`],
    minimum === undefined ? [] : [`of at least ${minimum}`],
    exclusiveMaximum === undefined ? [] : [`below ${exclusiveMaximum}`],
    maximum === undefined ? [] : [`at most ${maximum}`],
  ].flat();
  return bounds.length === 0 ? '' : ` ${bounds.join(' and ')}`;
}

function lengthText(minimum: number | undefined, maximum: number | undefined, unit: string): string {
  if (minimum !== undefined && maximum !== undefined) return ` of ${minimum} to ${maximum} ${unit}s`;
  if (minimum !== undefined) return ` of at least ${minimum} ${unit}${minimum === 1 ? '' : 's'}`;
  return maximum === undefined ? '' : ` of at most ${maximum} ${unit}s`;
}

function shortened(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce(childOf, value);
}

/** Where else a field of this name stands. */
function pathsOf(name: string, schema: JsonSchema, value: unknown, below: readonly string[] = []): string[][] {
  return chosenAlternatives(schema, value).flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([key, child]) => {
      const path = [...below, key];
      return [...(isSameName(key, name) ? [path] : []), ...pathsOf(name, child, childOf(value, key), path)];
    }),
  );
}
