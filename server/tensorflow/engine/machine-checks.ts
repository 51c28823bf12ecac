import { statfs } from 'node:fs/promises';
import { release, totalmem, version as systemVersion } from 'node:os';
import path from 'node:path';
import { findCompiler, findPrebuiltBinding } from './compile-binding';
import { findPip } from './download-wheel';
import { cacheFolder } from './engine-cache';
import { type EngineStatus, engineStatus } from './engine-status';
import { findInstalledEngine, type InstalledEngine } from './installed-engine';
import { type BindingProbe, probeBinding } from './probe-binding';
import { findPython, usableTensorFlow } from './python-environment';
import { compilerRemedy, pipRemedy } from './remedies';
import { ChildFailedError, runChild } from './run-child';

/** One line of the examination. A problem says what to do about it. */
export interface MachineCheck {
  name: string;
  found: string;
  /** `note`: nothing is wrong now, but it says what could be better. */
  state: 'good' | 'note' | 'problem';
  remedy?: string;
}

export interface MachineExamination {
  checks: MachineCheck[];
  engine: InstalledEngine | null;
  probe: BindingProbe | null;
}

const oldestNode = [20, 17] as const;
/** Of the wheels in `pinned-wheels.ts`: manylinux_2_27. */
const oldestGlibc = [2, 27] as const;
const timedMatrixSize = 1024;

/** Looks at everything that the native engine needs, loads it in a process of its own, and times it. */
export async function examineMachine(python?: string, signal?: AbortSignal): Promise<MachineExamination> {
  const status = engineStatus();
  const installed = status.some(({ state }) => state === 'installed');
  const checks = [
    platformCheck(),
    nodeCheck(),
    ...(await toolChecks(python, installed, signal)),
    await diskCheck(installed),
    ...status.filter((each) => each.state === 'broken').map(brokenCheck),
  ];
  const broken = status.some(({ state }) => state === 'broken');
  const engine = broken ? undefined : findInstalledEngine();
  const gpu = await graphicsCard(signal);
  if (!engine) {
    if (!broken) {
      checks.push({
        name: 'Native engine',
        found: 'not installed; training uses the portable backend, which is many times slower',
        state: 'problem',
        remedy: `install it with \`mine engine install${gpu ? ' --device cuda' : ''}\``,
      });
    }
    return { checks, engine: null, probe: null };
  }
  checks.push({ name: 'Native engine', found: `${engine.device}, ${engine.source}, ${engine.folder}`, state: 'good' });
  const { probe, checks: found } = await loadChecks(engine, gpu, signal);
  return { checks: [...checks, ...found], engine, probe };
}

function platformCheck(): MachineCheck {
  const glibc = glibcVersion();
  const found = `${process.platform} ${process.arch}, ${release()}, ${systemVersion()}${glibc ? `, glibc ${glibc}` : ''}`;
  if (process.platform === 'linux' && !glibc) {
    return {
      name: 'Platform',
      found: `${found}, no glibc`,
      state: 'problem',
      remedy: 'TensorFlow needs glibc; on Alpine and other musl systems use a Debian or Ubuntu container',
    };
  }
  if (glibc && isOlder(glibc, oldestGlibc)) {
    const remedy = `TensorFlow needs glibc ${oldestGlibc.join('.')} or newer; use a newer system or container`;
    return { name: 'Platform', found, state: 'problem', remedy };
  }
  return { name: 'Platform', found: `${found}, ${(totalmem() / 1e9).toFixed(0)} GB of memory`, state: 'good' };
}

function glibcVersion(): string | undefined {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime;
}

function isOlder(version: string, than: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < than[0] || (major === than[0] && minor < than[1]);
}

function nodeCheck(): MachineCheck {
  const found = `${process.versions.node} (${process.execPath})`;
  return isOlder(process.versions.node, oldestNode)
    ? { name: 'Node', found, state: 'problem', remedy: `install Node ${oldestNode.join('.')} or newer` }
    : { name: 'Node', found, state: 'good' };
}

/** What an installation needs; once the engine is there, a missing tool is only worth a note. */
async function toolChecks(
  given: string | undefined,
  installed: boolean,
  signal?: AbortSignal,
): Promise<MachineCheck[]> {
  const missing = installed ? ('note' as const) : ('problem' as const);
  const checks: MachineCheck[] = [];
  const python = await findPython(given, signal);
  if (python) {
    checks.push({ name: 'Python', found: `${python.version} (${python.executable})`, state: 'good' });
    if (python.tensorflow) {
      const usable = await usableTensorFlow(python, 'cpu');
      checks.push(
        typeof usable === 'string'
          ? { name: 'TensorFlow in Python', found: usable, state: 'note', remedy: 'the engine uses its own TensorFlow' }
          : { name: 'TensorFlow in Python', found: `${usable.version} (${usable.folder})`, state: 'good' },
      );
    }
  } else {
    checks.push({
      name: 'Python',
      found: 'none',
      state: missing,
      remedy: 'install Python 3.8 or newer with pip, or name one with `--python PATH`',
    });
  }
  const pip = await findPip(given, signal);
  checks.push(
    pip
      ? { name: 'pip', found: pip.version, state: 'good' }
      : { name: 'pip', found: 'none', state: missing, remedy: pipRemedy() },
  );
  const compiler = await findCompiler(signal);
  const prebuilt = await findPrebuiltBinding();
  if (prebuilt) checks.push({ name: 'Prebuilt binding', found: prebuilt, state: 'good' });
  checks.push(
    compiler
      ? { name: 'C++ compiler', found: compiler.version, state: 'good' }
      : { name: 'C++ compiler', found: 'none', state: prebuilt ? 'note' : missing, remedy: compilerRemedy() },
  );
  return checks;
}

async function diskCheck(installed: boolean): Promise<MachineCheck> {
  const cache = cacheFolder();
  let folder = cache;
  for (;;) {
    const space = await statfs(folder).catch(() => undefined);
    if (space) {
      const free = space.bavail * space.bsize;
      const found = `${cache}, ${(free / 1e9).toFixed(1)} GB free`;
      return free > 1.5e9 || installed
        ? { name: 'Cache folder', found, state: 'good' }
        : { name: 'Cache folder', found, state: 'problem', remedy: 'set MINE_CACHE to a folder with 1.5 GB free' };
    }
    folder = path.dirname(folder);
  }
}

function brokenCheck(status: EngineStatus & { state: 'broken' }): MachineCheck {
  return {
    name: 'Native engine',
    found: status.problem,
    state: 'problem',
    remedy: `repair it with \`mine engine install --device ${status.device}\``,
  };
}

async function loadChecks(
  engine: InstalledEngine,
  gpu: string | undefined,
  signal?: AbortSignal,
): Promise<{ probe: BindingProbe | null; checks: MachineCheck[] }> {
  const repair = `\`mine engine remove --device ${engine.device}\`, then \`mine engine install --device ${engine.device}\``;
  let probe: BindingProbe;
  try {
    const { environment } = engine;
    probe = await probeBinding(engine.binding, { environment, matrixSize: timedMatrixSize, signal });
  } catch (error) {
    signal?.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    const found = `the engine does not load: ${message}`;
    return { probe: null, checks: [{ name: 'TensorFlow', found, state: 'problem', remedy: repair }] };
  }
  const checks: MachineCheck[] = [
    { name: 'TensorFlow', found: probe.tensorflowVersion, state: 'good' },
    deviceCheck(engine, probe, gpu),
    {
      name: 'Matrix product',
      found: `${(probe.gigaflops ?? 0).toFixed(1)} GFLOP/s (${timedMatrixSize} x ${timedMatrixSize}, float32)`,
      state: 'good',
    },
  ];
  return { probe, checks };
}

function deviceCheck(engine: InstalledEngine, probe: BindingProbe, gpu: string | undefined): MachineCheck {
  const found = `${probe.usesGpu ? 'GPU' : 'CPU'}: ${probe.devices.join('; ')}`;
  if (engine.device === 'cuda' && !probe.usesGpu) {
    const why = probe.hindrances[0] ?? (gpu ? 'TensorFlow gave no reason' : 'there is no NVIDIA driver');
    return {
      name: 'Devices',
      found: `${found}; the engine is for CUDA, but ${why}`,
      state: 'problem',
      remedy: gpu
        ? `update the NVIDIA driver to 525 or newer, or reinstall with \`mine engine install --device cuda\``
        : `install the NVIDIA driver, or use the smaller engine: \`mine engine remove --device cuda\``,
    };
  }
  if (engine.device === 'cpu' && gpu) {
    const remedy = `to train on ${gpu}: \`mine engine install --device cuda\``;
    return { name: 'Devices', found, state: 'note', remedy };
  }
  return { name: 'Devices', found, state: 'good' };
}

/** The first NVIDIA card, as its driver names it. */
async function graphicsCard(signal?: AbortSignal): Promise<string | undefined> {
  try {
    const query = ['--query-gpu=name,driver_version', '--format=csv,noheader'];
    const { stdout } = await runChild('nvidia-smi', query, { signal, timeoutMilliseconds: 15_000 });
    return stdout.split('\n')[0]?.trim() || undefined;
  } catch (error) {
    if (error instanceof ChildFailedError) return undefined;
    throw error;
  }
}
