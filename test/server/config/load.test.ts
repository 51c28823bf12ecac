import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configurationSchema } from '../../../server/config/json-schema';
import { loadConfig } from '../../../server/config/load';
import { Refusal } from '../../../server/config/refusal';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mine-config-'));
  writeFileSync(join(folder, 'table.csv'), 'a,b\n1,2\n');
  mkdirSync(join(folder, 'directory.npy'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function load(content: object | string, ...assignments: string[]) {
  const file = join(folder, 'x.mine.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return loadConfig(file, assignments);
}

/** The problems, without the name of the file. */
function problemsOf(content: object | string, ...assignments: string[]): string[] {
  try {
    load(content, ...assignments);
  } catch (error) {
    if (error instanceof Refusal) return error.problems.map((problem) => problem.replaceAll(`${folder}/`, ''));
    throw error;
  }
  return [];
}

describe('a configuration', () => {
  it('comes with every default spelled out', () => {
    const { config, folder: dataFolder } = load({ experiment: 'gan', training: { batchSize: 64 } });
    expect(config).toMatchObject({
      experiment: 'gan',
      seed: 1,
      data: { kind: 'gaussian-grid', side: 5 },
      training: { batchSize: 64, optimizer: { kind: 'adam', learningRate: 1e-4, beta1: 0.5, beta2: 0.999 } },
    });
    expect(dataFolder).toBe(folder);
  });

  it.each([
    ['{ "experiment": "gan",\n }', '1:22: not valid JSON: remove the comma before "}".'],
    ['{ "experiment": "gan"\n  "seed": 1 }', '2:3: not valid JSON: a comma or "}" should stand here instead of "\\"".'],
    ['{\n  // comment\n}', '2:3: not valid JSON: JSON has no comments: remove this one.'],
    [
      "{ 'experiment': 1 }",
      '1:3: not valid JSON: a name in double quotes should stand here; JSON wants double quotes.',
    ],
    ['{ "seed": 01 }', '1:12: not valid JSON: a comma or "}" should stand here instead of "1".'],
    ['{ "seed": NaN }', '1:11: not valid JSON: a value should stand here instead of "N".'],
    [
      '{ "name": "a\nb" }',
      '1:11: not valid JSON: this text in double quotes is not closed, or holds a line break or a \\ that JSON does not know.',
    ],
    ['{ "seed": 1', '1:12: not valid JSON: the file ends where a comma or "}" should stand.'],
    ['', '1:1: not valid JSON: the file ends where a value should stand.'],
    ['{} {}', '1:4: not valid JSON: there is text after the end of the object.'],
    ['['.repeat(200), '1:66: not valid JSON: objects are nested more than 64 deep.'],
  ])('that is not JSON is refused with the place: %j', (text, problem) => {
    expect(problemsOf(text)).toEqual([`x.mine.json:${problem}`]);
  });

  it.each<[string, object | string, string[]]>([
    ['no object', [], ['1:1: configuration: is [], but must be an object.']],
    ['no experiment', {}, ['1:1: experiment: is missing, but must be "mutual-information" or "gan".']],
    [
      'an unknown experiment',
      { experiment: 'gann' },
      ['2:17: experiment: is "gann", but must be "mutual-information" or "gan".'],
    ],
    ['a misspelt field', { experiment: 'gan', trainig: {} }, ['3:14: trainig: unknown field; did you mean training?']],
    [
      'a field in the wrong place',
      { experiment: 'mutual-information', training: { learning_rate: 1 } },
      ['4:22: training.learning_rate: unknown field here; did you mean training.optimizer.learningRate?'],
    ],
    [
      'a field of another kind of data',
      { experiment: 'gan', data: { kind: 'spiral', side: 4 } },
      ['5:13: data.side: unknown field; data has kind, examples, standardDeviation, cycles, arms.'],
    ],
    [
      'a number out of range',
      { experiment: 'gan', training: { iterations: 0 } },
      ['4:19: training.iterations: is 0, but must be a whole number from 1 to 16000000; left out it is 5000.'],
    ],
    [
      'an open range',
      { experiment: 'mutual-information', data: { kind: 'gaussian', correlation: 1 } },
      ['5:20: data.correlation: is 1, but must be a number above -1 and below 1; left out it is 0.5.'],
    ],
    [
      'a number too large for JavaScript',
      '{ "experiment": "gan", "seed": 1e400 }',
      ['1:32: seed: is Infinity, but must be a whole number from 0 to 2147483647; left out it is 1.'],
    ],
    [
      'a wrong type',
      { experiment: 'gan', generator: { batchNormalization: 'yes' } },
      ['4:27: generator.batchNormalization: is "yes", but must be true or false; left out it is true.'],
    ],
    [
      'an item of a list',
      { experiment: 'gan', generator: { hidden: [500, 0.5] } },
      ['6:7: generator.hidden.1: is 0.5, but must be a whole number from 1 to 8192.'],
    ],
    [
      'two alternatives',
      { experiment: 'mutual-information', data: { kind: 'gaussian', examples: 'many' } },
      [
        '5:17: data.examples: is "many", but must be "unlimited" or a whole number from 50 to 10000000; left out it is "unlimited".',
      ],
    ],
    ['null', { experiment: 'gan', evaluation: null }, ['3:17: evaluation: is null, but must be an object.']],
    [
      'a field given twice',
      '{ "experiment": "gan", "seed": 1, "seed": 2 }',
      ['1:43: seed: is given twice: remove one of them.'],
    ],
    [
      'a name of JavaScript',
      '{ "experiment": "gan", "data": { "kind": "spiral", "__proto__": { "x": 1 } } }',
      ['1:65: data.__proto__: unknown field; data has kind, examples, standardDeviation, cycles, arms.'],
    ],
  ])('with %s is refused', (_, content, problems) => {
    expect(problemsOf(content)).toEqual(problems.map((problem) => `x.mine.json:${problem}`));
  });

  it.each<[string, object, string]>([
    [
      'a batch larger than the data',
      { experiment: 'gan', data: { kind: 'spiral', examples: 150 }, training: { batchSize: 200 } },
      'training.batchSize: is 200, but data.examples is only 150: use at most 150, or more examples.',
    ],
    [
      'a batch larger than the part that is trained on',
      { experiment: 'mutual-information', data: { kind: 'gaussian', examples: 200 }, training: { batchSize: 170 } },
      'training.batchSize: is 170, but only 160 of data.examples = 200 are trained on: use at most 160, or more examples.',
    ],
    [
      'a compiled portable engine',
      { experiment: 'gan', execution: { device: 'portable', compile: 'xla' } },
      'execution.compile: "xla" needs the native engine, and execution.device is "portable": use "auto" for one of them.',
    ],
  ])('with %s is refused', (_, content, problem) => {
    expect(problemsOf(content)).toEqual([expect.stringContaining(problem)]);
  });

  it('whose data is not there is refused, both files at once', () => {
    const data = (x: string, y: string) => ({ experiment: 'mutual-information', data: { kind: 'arrays', x, y } });
    expect(problemsOf(data('x.npy', 'directory.npy'))).toEqual([
      expect.stringContaining('data.x: x.npy does not exist: relative paths start at the configuration file.'),
      expect.stringContaining('data.y: directory.npy is not a file.'),
    ]);
    expect(problemsOf(data('table.csv:a', 'table.csv:b'))).toEqual([]);
  });

  it('shows all of its problems at once', () => {
    const problems = problemsOf(
      { experiment: 'gan', name: '', bogus: 1, training: { iterations: -1, batchSize: 1, optimizer: { kind: 'sdg' } } },
      'seed=x',
      'nonsense',
    );
    expect(problems.map((problem) => /(?:x\.mine\.json:\d+:\d+: )?([^:]+):/.exec(problem)![1])).toEqual([
      '--set',
      'name',
      'seed',
      'training.iterations',
      'training.batchSize',
      'training.optimizer.kind',
      'bogus',
    ]);
  });

  it.each([
    ['nothing.mine.json', 'does not exist: give the path of a configuration (NAME.mine.json).'],
    ['directory.npy', 'is a folder: give the path of a configuration (NAME.mine.json).'],
  ])('that cannot be read is refused: %s', (name, problem) => {
    expect(() => loadConfig(join(folder, name))).toThrow(`${join(folder, name)} ${problem}`);
  });
});

describe('--set', () => {
  it('overrides fields, with values in JSON or as plain text', () => {
    const { config } = load(
      { experiment: 'gan', data: { kind: 'spiral', arms: 1 } },
      'data.arms=2',
      'name=two arms, 3 = many',
      'generator.hidden=[64,32]',
      'generator.hidden.1=16',
      'mutualInformation.weight=0.5',
    );
    expect(config).toMatchObject({
      name: 'two arms, 3 = many',
      data: { kind: 'spiral', arms: 2 },
      generator: { hidden: [64, 16] },
      mutualInformation: { weight: 0.5 },
    });
  });

  it('of one field of an object that the file leaves out keeps the defaults of the others', () => {
    const { config } = load({ experiment: 'gan' }, 'training.optimizer.learningRate=0.01', 'data.side=3');
    expect(config.training.optimizer).toMatchObject({ kind: 'adam', learningRate: 0.01, beta1: 0.5 });
    expect(config.data).toMatchObject({ kind: 'gaussian-grid', side: 3 });
  });

  it.each([
    [
      'training.learningRate=1',
      /training\.learningRate: unknown field here; did you mean training\.optimizer\.learningRate/,
    ],
    ['trainng.iterations=1', /trainng: unknown field; did you mean training\?/],
    ['training.iterations=many', /training\.iterations: is "many", but must be a whole number/],
    ['name.first=a', /name\.first: cannot be set: what holds it is not an object\./],
    ['generator.hidden.7=5', /generator\.hidden\.7: cannot be set/],
    ['seed', /^--set: seed is not of the form path=value, as in data\.correlation=0\.7\.$/],
    ['=1', /^--set: =1 is not of the form path=value/],
    ['__proto__.polluted=1', /^--set: __proto__\.polluted=1 is not of the form path=value/],
  ])('%s is refused', (assignment, problem) => {
    const file = { experiment: 'gan', name: 'a', generator: { hidden: [5] } };
    expect(problemsOf(file, assignment)).toEqual([expect.stringMatching(problem)]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('the JSON Schema that the extension ships', () => {
  it('is that of this version: `npm run build`, then `node dist/server/cli.js schema > extension/schemas/mine.schema.json`', () => {
    const path = join(import.meta.dirname, '../../../extension/schemas/mine.schema.json');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(configurationSchema());
  });

  it('documents every field and asks for none but the experiment and the kinds', () => {
    const undocumented: string[] = [];
    const required = new Set<string>();
    const walk = (schema: ReturnType<typeof configurationSchema> & { required?: string[] }, path: string) => {
      for (const name of schema.required ?? []) required.add(name);
      for (const part of [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])]) walk(part, path);
      for (const [name, field] of Object.entries(schema.properties ?? {})) {
        if (field.type !== 'object' && !field.description && !field.oneOf) undocumented.push(`${path}.${name}`);
        walk(field, `${path}.${name}`);
      }
    };
    walk(configurationSchema(), '');
    expect(undocumented).toEqual([]);
    expect([...required].sort()).toEqual(['experiment', 'kind', 'x', 'y']);
  });
});
