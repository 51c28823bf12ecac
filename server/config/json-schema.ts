import { z } from 'zod';
import { experimentConfig } from './experiment-config';

/** The part of JSON Schema that the configuration's schemas come out as. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: unknown;
  readonly description?: string;
}

/**
 * JSON Schema of a configuration file, for editors and for messages: what a user may write, defaults left out. Draft 7 is
 * the newest that VS Code knows all of.
 */
export function configurationSchema(): JsonSchema {
  return z.toJSONSchema(experimentConfig, { io: 'input', target: 'draft-7' }) as JsonSchema;
}

/**
 * The schema of a field.
 * @param value the whole configuration; its `experiment` and `kind` fields choose among alternatives.
 * @returns the schema, a union where the choice is open, or null if there is no such field.
 */
export function schemaAt(schema: JsonSchema, path: readonly PropertyKey[], value: unknown): JsonSchema | null {
  const [key, ...rest] = path;
  if (key === undefined) return schema;
  const chosen = chosenAlternatives(schema, value);
  const found = chosen.flatMap((alternative) => {
    const child = typeof key === 'number' ? alternative.items : ownProperty(alternative.properties, String(key));
    const below = child && schemaAt(child, rest, childOf(value, key));
    return below ? [below] : [];
  });
  const [only, ...others] = found;
  if (only === undefined) return null;
  return others.length === 0 ? only : { oneOf: found };
}

/** Names of the fields that an object may have, but for the `$schema` that only editors read. */
export function fieldNames(schema: JsonSchema, value: unknown): string[] {
  const names = chosenAlternatives(schema, value).flatMap(({ properties }) => Object.keys(properties ?? {}));
  return [...new Set(names)].filter((name) => name !== '$schema');
}

/** The alternatives of a union that the value's constant fields allow; all of them if none fits. */
export function chosenAlternatives(schema: JsonSchema, value: unknown): readonly JsonSchema[] {
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives === undefined) return [schema];
  const fitting = alternatives.filter(({ properties = {} }) =>
    Object.entries(properties).every(
      ([name, field]) => field.const === undefined || field.const === childOf(value, name),
    ),
  );
  return (fitting.length > 0 ? fitting : alternatives).flatMap((alternative) => chosenAlternatives(alternative, value));
}

function ownProperty(
  properties: Readonly<Record<string, JsonSchema>> | undefined,
  key: string,
): JsonSchema | undefined {
  return properties && Object.hasOwn(properties, key) ? properties[key] : undefined;
}

/** The value below a key, or undefined. */
export function childOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}
