import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { pinnedTensorFlowVersion } from '../../../../server/tensorflow/engine/engine-cache';
import type { EngineProgress } from '../../../../server/tensorflow/engine/engine-contents';
import { EngineInstallError, installEngine } from '../../../../server/tensorflow/engine/install-engine';
import { findInstalledEngine, type InstalledEngine } from '../../../../server/tensorflow/engine/installed-engine';
import { pinnedWheels } from '../../../../server/tensorflow/engine/pinned-wheels';
import { probeBinding } from '../../../../server/tensorflow/engine/probe-binding';
import { tensorflowLibraries } from '../../../../server/tensorflow/engine/python-environment';
import {
  bundleCommandLine,
  installNode,
  makeTestFolder,
  pythonWithoutTensorFlow,
  pythonWithTensorFlow,
  runCommandLine,
  sharedEngine,
  testWheelFolder,
  unfinishedIn,
} from './engine-fixture';
import { startStallingIndex } from './stalling-index';

const wheel = pinnedWheels('cpu')![0]!;
let shared: InstalledEngine;
let folder: string;
let cache: string;

beforeAll(async () => {
  vi.stubEnv('MINE_WHEELS', testWheelFolder);
  shared = await sharedEngine();
});
beforeEach(() => {
  vi.stubEnv('MINE_WHEELS', testWheelFolder);
  folder = makeTestFolder();
  cache = path.join(folder, 'cache');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

describe('an engine from the wheel', () => {
  it('is installed again after a kill -9 in the middle, and computes on every supported Node', async () => {
    const bundle = await bundleCommandLine();
    const python = pythonWithoutTensorFlow();
    // In the cache's own folder, and pip can reach no index: what was downloaded before the kill is used.
    const wheels = path.join(cache, 'wheels');
    mkdirSync(wheels, { recursive: true });
    linkSync(path.join(testWheelFolder, wheel.file), path.join(wheels, wheel.file));
    vi.stubEnv('MINE_WHEELS', '');
    vi.stubEnv('PIP_NO_INDEX', '1');
    vi.stubEnv('PIP_FIND_LINKS', folder);
    const killed = await runCommandLine(
      bundle,
      ['engine', 'install', '--python', python],
      { MINE_CACHE: cache, MINE_WHEELS: '' },
      (text, child) => {
        if (text.includes('Compiling')) child.kill('SIGKILL');
      },
    );
    expect(killed.code).toBeNull();
    expect(unfinishedIn(cache)).toHaveLength(2);
    expect(findInstalledEngine('cpu', cache)).toBeUndefined();

    const stages: EngineProgress[] = [];
    const engine = await installEngine({
      device: 'cpu',
      python,
      cacheFolder: cache,
      onProgress: (each) => stages.push(each),
    });
    expect(engine).toMatchObject({
      source: 'wheel',
      device: 'cpu',
      tensorflowVersion: pinnedTensorFlowVersion,
      environment: {},
    });
    expect(unfinishedIn(cache)).toEqual([]);
    expect(existsSync(wheels)).toBe(false);
    const unpacking = stages.filter(({ stage }) => stage === 'Unpacking');
    expect(unpacking.at(-1)).toEqual({
      stage: 'Unpacking',
      bytesDone: wheel.unpackedBytes,
      bytesTotal: wheel.unpackedBytes,
    });
    expect(unpacking.length).toBeGreaterThan(20);

    for (const node of [process.execPath, installNode(22), installNode(24)]) {
      const probe = await probeBinding(engine.binding, { environment: engine.environment, node, matrixSize: 256 });
      expect(probe).toMatchObject({ tensorflowVersion: pinnedTensorFlowVersion, usesGpu: false });
      expect(probe.gigaflops).toBeGreaterThan(0.5);
    }
  });

  it('is refused when the package index serves another file under its name', async () => {
    const index = path.join(folder, 'index');
    mkdirSync(index);
    execFileSync('python3', ['-c', forgeWheel, path.join(index, wheel.file)]);
    vi.stubEnv('MINE_WHEELS', path.join(folder, 'wheels'));
    vi.stubEnv('PIP_NO_INDEX', '1');
    vi.stubEnv('PIP_FIND_LINKS', index);
    await expect(
      installEngine({ device: 'cpu', python: pythonWithoutTensorFlow(), cacheFolder: cache }),
    ).rejects.toThrow(new RegExp(`${wheel.file} has SHA-256 [0-9a-f]{64}, not ${wheel.sha256}: .* It was not used`));
    expect(readdirSync(path.join(folder, 'wheels'))).toEqual([]);
    expect(readdirSync(path.join(cache, 'engines'))).toEqual([]);
  });

  it('leaves nothing behind when cancelled during the download, whose bytes it reports', async () => {
    const index = await startStallingIndex(wheel.file, wheel.bytes);
    vi.stubEnv('MINE_WHEELS', path.join(folder, 'wheels'));
    vi.stubEnv('PIP_INDEX_URL', index.url);
    vi.stubEnv('PIP_CONFIG_FILE', '/dev/null');
    vi.stubEnv('PIP_FIND_LINKS', folder);
    const reason = new Error('the user pressed Ctrl-C');
    const cancellation = new AbortController();
    const seen: number[] = [];
    let openDownloads = 0;
    const installation = installEngine({
      device: 'cpu',
      python: pythonWithoutTensorFlow(),
      cacheFolder: cache,
      signal: cancellation.signal,
      onProgress: ({ bytesDone = 0, bytesTotal }) => {
        if (bytesTotal !== undefined) expect(bytesTotal).toBe(wheel.bytes);
        seen.push(bytesDone);
        if (bytesDone < 3e6) return;
        openDownloads = index.openDownloads();
        cancellation.abort(reason);
      },
    });
    await expect(installation).rejects.toBe(reason);
    expect(openDownloads).toBe(1);
    // pip is gone too: it no longer listens.
    await vi.waitFor(() => {
      expect(index.openDownloads()).toBe(0);
    });
    index.close();
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(readdirSync(path.join(cache, 'engines'))).toEqual([]);
    expect(findInstalledEngine('cpu', cache)).toBeUndefined();
  });
});

describe('an engine linked to a Python environment', () => {
  it('downloads nothing and never imports TensorFlow', async () => {
    vi.stubEnv('MINE_WHEELS', path.join(folder, 'wheels'));
    const python = pythonWithTensorFlow(path.join(folder, 'python'), shared);
    const engine = await installEngine({ device: 'cpu', python, cacheFolder: cache });
    expect(engine.source).toBe('python');
    expect(existsSync(path.join(folder, 'wheels'))).toBe(false);
    const library = realpathSync(path.join(engine.folder, 'tensorflow', tensorflowLibraries[1]));
    expect(library).toBe(realpathSync(path.join(shared.folder, 'tensorflow', tensorflowLibraries[1])));
  });

  it('is broken, and says so, once TensorFlow leaves that environment; installing repairs it', async () => {
    const environment = path.join(folder, 'python');
    const python = pythonWithTensorFlow(environment, shared);
    await installEngine({ device: 'cpu', python, cacheFolder: cache });
    rmSync(environment, { recursive: true });
    expect(() => findInstalledEngine('cpu', cache)).toThrow(
      /^The native engine in .* is broken: .*libtensorflow_cc.* is missing; TensorFlow was removed from .*python.*\. Repair it with `mine engine install --device cpu`\.$/,
    );
    const other = pythonWithTensorFlow(path.join(folder, 'other'), shared);
    const repaired = await installEngine({ device: 'cpu', python: other, cacheFolder: cache });
    expect(findInstalledEngine('cpu', cache)).toEqual(repaired);
  });

  it('is installed once when two installers race', async () => {
    const bundle = await bundleCommandLine();
    const python = pythonWithTensorFlow(path.join(folder, 'python'), shared);
    const environment = { MINE_CACHE: cache, VIRTUAL_ENV: path.dirname(path.dirname(python)) };
    const runs = await Promise.all(
      [1, 2].map(() => runCommandLine(bundle, ['engine', 'install', '--json'], environment)),
    );
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(runs[0]!.stdout).toBe(runs[1]!.stdout);
    expect(runs.filter(({ stderr }) => stderr.includes('Compiling'))).toHaveLength(1);
    expect(runs.filter(({ stderr }) => stderr.includes('Waiting for another installation'))).toHaveLength(1);
    expect(readdirSync(path.join(cache, 'engines'))).toHaveLength(1);
  });
});

describe('without a C++ compiler', () => {
  beforeEach(() => {
    vi.stubEnv('CXX', path.join(folder, 'no-compiler'));
  });

  it('says how to get one before anything is downloaded', async () => {
    vi.stubEnv('MINE_WHEELS', path.join(folder, 'wheels'));
    const failure = installEngine({ device: 'cpu', python: pythonWithoutTensorFlow(), cacheFolder: cache });
    await expect(failure).rejects.toThrow(EngineInstallError);
    await expect(failure).rejects.toThrow(/there is no C\+\+ compiler \(install one with `.*`/);
    expect(existsSync(path.join(folder, 'wheels'))).toBe(false);
  });

  it('uses the binding that lies beside the bundle when it loads, and not when it does not', async () => {
    const prebuiltFolder = path.join(folder, 'native');
    const prebuilt = path.join(prebuiltFolder, `${process.platform}-${process.arch}`, 'tfjs_binding.node');
    mkdirSync(path.dirname(prebuilt), { recursive: true });
    const python = pythonWithTensorFlow(path.join(folder, 'python'), shared);
    const install = () => installEngine({ device: 'cpu', python, cacheFolder: cache, prebuiltFolder });
    writeFileSync(prebuilt, 'not a library');
    vi.stubEnv('MINE_WHEELS', path.join(folder, 'wheels'));
    vi.stubEnv('PIP_NO_INDEX', '1');
    vi.stubEnv('PIP_FIND_LINKS', folder);
    await expect(install()).rejects.toThrow('the prebuilt binding does not load, and there is no C++ compiler');
    expect(findInstalledEngine('cpu', cache)).toBeUndefined();
    await copyFile(shared.binding, prebuilt);
    const engine = await install();
    expect((await probeBinding(engine.binding, engine)).tensorflowVersion).toBe(pinnedTensorFlowVersion);
  });
});

/** A wheel that pip accepts, under the pinned name. */
const forgeWheel = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    info = "tensorflow_cpu-2.21.0.dist-info/" if "tensorflow_cpu" in sys.argv[1] else "tensorflow-2.21.0.dist-info/"
    name = info.split("-")[0].replace("_", "-")
    wheel.writestr(info + "METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 2.21.0\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: cp311-cp311-manylinux_2_27_x86_64\\n")
    wheel.writestr(info + "RECORD", "")
`;
