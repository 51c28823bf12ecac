import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { installEngine } from '../../../../server/tensorflow/engine/install-engine';
import {
  BrokenEngineError,
  findInstalledEngine,
  type InstalledEngine,
} from '../../../../server/tensorflow/engine/installed-engine';
import { tensorflowLibraries } from '../../../../server/tensorflow/engine/python-environment';
import { makeTestFolder, pythonWithTensorFlow, sharedEngine } from './engine-fixture';

let shared: InstalledEngine;
let folder: string;
let cache: string;
let copy: string;

beforeAll(async () => {
  shared = await sharedEngine();
});
beforeEach(() => {
  folder = makeTestFolder();
  cache = path.join(folder, 'cache');
  const engines = path.join(cache, 'engines');
  mkdirSync(engines, { recursive: true });
  execFileSync('cp', ['-rl', shared.folder, engines]);
  copy = path.join(engines, path.basename(shared.folder));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('an installed engine', () => {
  it('is found in less than 20 ms and not installed a second time', async () => {
    const start = performance.now();
    const engine = findInstalledEngine(undefined, cache);
    expect(performance.now() - start).toBeLessThan(20);
    expect(engine?.folder).toBe(copy);
    const stages: string[] = [];
    expect(
      await installEngine({ device: 'cpu', cacheFolder: cache, onProgress: ({ stage }) => stages.push(stage) }),
    ).toEqual(engine);
    expect(stages).toEqual([]);
  });
});

describe('a broken engine', () => {
  const file = (name: string): string => path.join(copy, name);
  const replace = (name: string, content: string): void => {
    // The copy shares its files with the engine that other tests use.
    rmSync(file(name));
    writeFileSync(file(name), content);
  };

  it('with a truncated library is named, and replaced by installing', async () => {
    const library = path.join('tensorflow', tensorflowLibraries[1]);
    const { size } = statSync(file(library));
    rmSync(file(library));
    await copyFile(path.join(shared.folder, library), file(library));
    truncateSync(file(library), size - 4096);
    const sentence = `${library} has ${size - 4096} bytes instead of ${size}`;
    expect(() => findInstalledEngine('cpu', cache)).toThrow(sentence);
    expect(() => findInstalledEngine(undefined, cache)).toThrow(BrokenEngineError);
    const python = pythonWithTensorFlow(path.join(folder, 'python'), shared);
    const engine = await installEngine({ device: 'cpu', python, cacheFolder: cache });
    expect(findInstalledEngine(undefined, cache)).toEqual(engine);
    expect(readdirSync(path.join(cache, 'engines'))).toEqual([path.basename(engine.folder)]);
  });

  it('with a missing, torn or foreign manifest is named', () => {
    replace('engine.json', '{ "format": 1, "tensorfl');
    expect(() => findInstalledEngine('cpu', cache)).toThrow('engine.json is not valid JSON');
    replace('engine.json', '{ "format": 2 }');
    expect(() => findInstalledEngine('cpu', cache)).toThrow(/engine\.json: format: /);
    rmSync(file('engine.json'));
    expect(() => findInstalledEngine('cpu', cache)).toThrow('engine.json is missing');
    linkSync(path.join(shared.folder, 'engine.json'), file('engine.json'));
    rmSync(file('binding/tfjs_binding.node'));
    expect(() => findInstalledEngine('cpu', cache)).toThrow(/tfjs_binding\.node is missing/);
  });
});
