import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { InstalledEngine } from '../../../../server/tensorflow/engine/installed-engine';
import { describePython, usableTensorFlow } from '../../../../server/tensorflow/engine/python-environment';
import {
  bundleCommandLine,
  type CommandRun,
  makeTestFolder,
  pythonWithoutTensorFlow,
  pythonWithTensorFlow,
  runCommandLine,
  sharedEngine,
  unfinishedIn,
} from './engine-fixture';

let shared: InstalledEngine;
let bundle: string;
let folder: string;
let cache: string;

beforeAll(async () => {
  shared = await sharedEngine();
  bundle = await bundleCommandLine();
});
beforeEach(() => {
  folder = makeTestFolder();
  cache = path.join(folder, 'cache');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => {
  rmSync(bundle);
});

const mine = (parameters: string[], environment: Record<string, string> = {}): Promise<CommandRun> =>
  runCommandLine(bundle, parameters, { MINE_CACHE: cache, ...environment });
const copyOfSharedEngine = (): string => {
  mkdirSync(path.join(cache, 'engines'), { recursive: true });
  execFileSync('cp', ['-rl', shared.folder, path.join(cache, 'engines')]);
  return path.join(cache, 'engines', path.basename(shared.folder));
};

describe('mine engine', () => {
  it.each(['Looking for TensorFlow', 'Unpacking', 'Compiling'])(
    'install, interrupted while it says "%s", exits 130 and leaves nothing half-used',
    async (stage) => {
      // Linking to Python is quick, so compiling is reached soon; unpacking only happens with the wheel.
      const python =
        stage === 'Unpacking' ? pythonWithoutTensorFlow() : pythonWithTensorFlow(path.join(folder, 'python'), shared);
      const parameters = ['engine', 'install', '--python', python];
      const run = await runCommandLine(bundle, parameters, { MINE_CACHE: cache }, (text, child) => {
        if (text.includes(stage) && !text.includes('Interrupted')) child.kill('SIGINT');
      });
      expect(run.stderr).toContain('Interrupted: nothing was installed');
      expect(run.code).toBe(130);
      expect(readdirSync(path.join(cache, 'engines'))).toEqual([]);
    },
  );

  it('status prints what is installed, and exits 1 naming what is broken', async () => {
    expect((await mine(['engine', 'status'])).stdout).toContain('`mine engine install`');
    const engine = copyOfSharedEngine();
    const whole = await mine(['engine', 'status', '--json']);
    expect(whole.code).toBe(0);
    expect(JSON.parse(whole.stdout)).toMatchObject([{ state: 'installed', engine: { folder: engine, device: 'cpu' } }]);
    rmSync(path.join(engine, 'binding'), { recursive: true });
    const broken = await mine(['engine', 'status']);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toMatch(
      /tfjs_binding\.node is missing\. Repair it with `mine engine install --device cpu`\./,
    );
  });

  it('remove takes away engines and leftovers of killed installations', async () => {
    const engine = copyOfSharedEngine();
    mkdirSync(`${engine}.partial-1234`);
    const run = await mine(['engine', 'remove', '--json']);
    expect(JSON.parse(run.stdout)).toEqual([engine, `${engine}.partial-1234`]);
    expect(readdirSync(path.join(cache, 'engines'))).toEqual([]);
    expect(existsSync(shared.binding)).toBe(true);
  });

  it('install names an interpreter that does not run', async () => {
    const run = await mine(['engine', 'install', '--python', path.join(folder, 'no-python')]);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/no-python is not a Python 3\.8 or newer: it was not found/);
    expect(unfinishedIn(cache)).toEqual([]);
  });

  it('install falls back to a complete tfjs-node of the project where there is no compiler', async () => {
    const stock = path.join(folder, 'node_modules/@tensorflow/tfjs-node');
    mkdirSync(path.join(stock, 'lib'), { recursive: true });
    mkdirSync(path.join(stock, 'deps'));
    writeFileSync(path.join(stock, 'package.json'), '{"name":"@tensorflow/tfjs-node","version":"4.22.0"}');
    execFileSync('cp', ['-r', path.dirname(shared.binding), path.join(stock, 'lib/napi-v8')]);
    // The binding's run path leads to the folder `tensorflow` beside its own.
    symlinkSync(path.join(shared.folder, 'tensorflow'), path.join(stock, 'lib/tensorflow'));
    execFileSync('cp', ['-rl', path.join(shared.folder, 'tensorflow'), path.join(stock, 'deps/lib')]);
    const environment = { MINE_CACHE: cache, CXX: path.join(folder, 'no-compiler') };
    const run = await runCommandLine(bundle, ['engine', 'install', '--json'], environment, undefined, folder);
    expect(run.stderr).toContain('Trying the installed tfjs-node');
    expect(JSON.parse(run.stdout)).toMatchObject({
      source: 'stock',
      binding: path.join(stock, 'lib/napi-v8/tfjs_binding.node'),
    });
    rmSync(path.join(stock, 'deps'), { recursive: true });
    expect((await mine(['engine', 'status'])).stdout).toMatch(/deps\/lib\/libtensorflow.* is missing/);
  });
});

describe('mine doctor', () => {
  it('loads the engine, times a matrix product and finds nothing wrong', async () => {
    copyOfSharedEngine();
    const run = await mine(['doctor', '--json']);
    const { healthy, probe, checks } = JSON.parse(run.stdout) as {
      healthy: boolean;
      probe: { gigaflops: number };
      checks: { name: string; state: string }[];
    };
    expect({ healthy, code: run.code }).toEqual({ healthy: true, code: 0 });
    expect(probe.gigaflops).toBeGreaterThan(1);
    const names = ['Platform', 'Node', 'Python', 'pip', 'C++ compiler', 'TensorFlow', 'Devices', 'Matrix product'];
    expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  it('says what to do when there is no engine, no compiler, or an engine that does not load', async () => {
    const none = await mine(['doctor'], { CXX: path.join(folder, 'no-compiler') });
    expect(none.code).toBe(1);
    expect(none.stdout).toMatch(/C\+\+ compiler +none\n +-> install one with/);
    expect(none.stdout).toMatch(/Native engine +not installed.*\n +-> install it with `mine engine install/);
    // Same size, other content: only loading it tells.
    const engine = copyOfSharedEngine();
    const binding = path.join(engine, 'binding/tfjs_binding.node');
    const { length } = execFileSync('cat', [binding]);
    rmSync(binding);
    writeFileSync(binding, Buffer.alloc(length));
    const unloadable = await mine(['doctor']);
    expect(unloadable.code).toBe(1);
    expect(unloadable.stdout).toMatch(/the engine does not load: (.|\n)*-> `mine engine remove --device cpu`/);
  });
});

describe('a TensorFlow in Python is passed over with a sentence', () => {
  it.each([
    ['that is too old', '2.10.1', 'cpu', /TensorFlow 2\.10\.1 in .* is not between 2\.15 and 3/],
    ['of another major version', '3.0.0', 'cpu', /is not between/],
    ['without CUDA when CUDA is wanted', '2.21.0', 'cuda', /was built without CUDA/],
  ] as const)('%s', async (_, version, device, sentence) => {
    const python = pythonWithTensorFlow(path.join(folder, 'python'), shared, version);
    expect(await usableTensorFlow(await describePython(python), device)).toMatch(sentence);
  });

  it('that has no libraries, or is only a folder of that name', async () => {
    const python = pythonWithTensorFlow(path.join(folder, 'python'), shared);
    const described = await describePython(python);
    rmSync(path.join(described.tensorflow!.folder, 'include'));
    expect(await usableTensorFlow(described, 'cpu')).toMatch(/has no include\/tensorflow\/c\/c_api\.h/);
    rmSync(described.tensorflow!.folder, { recursive: true });
    expect(await usableTensorFlow(await describePython(python), 'cpu')).toMatch(/has no TensorFlow/);
  });
});
