import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { consistencyProblems } from './consistency';
import { experimentConfig, type ExperimentConfig } from './experiment-config';
import { type JsonSource, JsonSyntaxError, parseJsonSource } from './json-source';
import { withOverrides } from './overrides';
import { type ConfigProblem, configProblems, pathText } from './problems';
import { Refusal } from './refusal';

export interface LoadedConfig {
  /** Every default spelled out. */
  readonly config: ExperimentConfig;
  /** Absolute. */
  readonly file: string;
  /** Where relative data paths start: the folder of the file. */
  readonly folder: string;
}

const maximumBytes = 1 << 20;

/**
 * Reads a configuration file and checks everything that can be checked before a run starts.
 * @param assignments overrides of the form `path=value`.
 * @throws Refusal with one sentence per problem, all at once: `file:line:column: path: what, and what to do`.
 */
export function loadConfig(path: string, assignments: readonly string[] = []): LoadedConfig {
  const file = resolve(path);
  const source = readSource(path);
  const folder = dirname(file);
  const overridden = withOverrides(source.value, assignments);
  const checked = checkedConfig(overridden.value, folder);
  const problems = [
    ...source.duplicates.map(({ path: at }) => ({ path: at, message: 'is given twice: remove one of them.' })),
    ...overridden.problems,
    ...checked.problems,
  ];
  if (checked.config === null || problems.length > 0) {
    throw new Refusal(...problems.map((problem) => sentenceOf(problem, source, path)));
  }
  return { config: checked.config, file, folder };
}

/** Checks a configuration that has been parsed. `config` is null if it does not fit the schema. */
export function checkedConfig(
  value: unknown,
  folder: string,
): { config: ExperimentConfig | null; problems: ConfigProblem[] } {
  const parsed = experimentConfig.safeParse(value);
  if (!parsed.success) return { config: null, problems: configProblems(parsed.error, value) };
  return { config: parsed.data, problems: consistencyProblems(parsed.data, folder) };
}

function readSource(path: string): JsonSource {
  try {
    if (statSync(path).size > maximumBytes) {
      throw new Refusal(
        `${path} is larger than 1 MB: that is no configuration file. Data belongs in files of its own.`,
      );
    }
    // An editor on Windows may begin the file with a byte order mark.
    return parseJsonSource(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof JsonSyntaxError) {
      throw new Refusal(`${path}:${error.position.line}:${error.position.column}: not valid JSON: ${error.message}.`);
    }
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new Refusal(`${path} does not exist: give the path of a configuration (NAME.mine.json).`);
    if (code === 'EISDIR') throw new Refusal(`${path} is a folder: give the path of a configuration (NAME.mine.json).`);
    throw new Refusal(`${path} cannot be read: ${(error as Error).message}.`);
  }
}

function sentenceOf({ path, message }: ConfigProblem, source: JsonSource, file: string): string {
  const sentence = `${pathText(path)}: ${message}`;
  if (path[0] === '--set') return sentence;
  // The nearest object around the field that the file has.
  for (let length = path.length; length >= 0; length -= 1) {
    const position = source.positionOf(path.slice(0, length));
    if (position) return `${file}:${position.line}:${position.column}: ${sentence}`;
  }
  return `${file}: ${sentence}`;
}
