import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { dump } from 'npyjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../server/estimation/seeded-random';
import { estimateReport, type EstimateReport } from '../../../server/protocol/estimate-report';
import { installEngine } from '../../../server/tensorflow/engine/install-engine';
import { correlatedGaussians } from './sample-pairs';

const repository = path.join(import.meta.dirname, '../../..');
// Within the repository, where the programs find the packages that they load at run time.
mkdirSync(path.join(repository, 'node_modules/.cache'), { recursive: true });
const programs = mkdtempSync(path.join(repository, 'node_modules/.cache/estimate-test-'));
const folder = mkdtempSync(path.join(tmpdir(), 'estimate-'));

beforeAll(async () => {
  await installEngine({ device: 'cpu' });
  await build({
    absWorkingDir: repository,
    entryPoints: { cli: 'server/cli.ts', estimator: 'server/estimator.ts' },
    outdir: programs,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'warning',
    external: ['@mapbox/node-pre-gyp'],
  });
});
afterAll(() => {
  for (const made of [programs, folder]) rmSync(made, { recursive: true, force: true });
});

interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function estimate(parameters: readonly string[], killAfter?: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(programs, 'cli.js'), 'estimate', ...parameters], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed = { stdout: '', stderr: '' };
    child.stdout.on('data', (text: Buffer) => (printed.stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (printed.stderr += text.toString()));
    if (killAfter !== undefined) setTimeout(() => child.kill('SIGINT'), killAfter);
    child.on('close', (exitCode) => {
      resolve({ exitCode, ...printed });
    });
  });
}

async function reportOf(...parameters: readonly string[]): Promise<EstimateReport> {
  const { exitCode, stdout, stderr } = await estimate([...parameters, '--json']);
  expect([exitCode, stderr]).toEqual([0, '']);
  return estimateReport.parse(JSON.parse(stdout));
}

function save(name: string, values: Float64Array, columns: number): void {
  writeFileSync(path.join(folder, name), new Uint8Array(dump(values, [values.length / columns, columns])));
}

describe('mine estimate', () => {
  it('prints one object: the held-out estimate with its interval, and the baselines beside it', async () => {
    const { x, y } = correlatedGaussians(800, 1, 0.9, 1);
    save('x.npy', x, 1);
    const lines = Array.from(y, (value, row) => `${row},${value}`);
    writeFileSync(path.join(folder, 'y.csv'), `id,pressure\n${lines.join('\n')}\n`);
    const report = await reportOf('x.npy', 'y.csv:pressure', '--seed', '5');
    expect(report).toMatchObject({ unit: 'nats', truth: null, rows: 800, seed: 5, warnings: [] });
    expect(report.x).toEqual({ source: 'x.npy', columns: ['1'], constant: [] });
    expect(report.y).toEqual({ source: 'y.csv:pressure', columns: ['pressure'], constant: [] });
    const [low, high] = report.interval as [number, number];
    for (const value of [
      0.8304,
      report.estimate,
      report.nearestNeighbour?.estimate,
      report.canonicalCorrelation?.estimate,
    ]) {
      expect(value).toBeGreaterThan(low - 0.03);
      expect(value).toBeLessThan(high + 0.03);
    }
    expect(report.device).toMatch(/^TensorFlow 2\./);

    const bits = await reportOf('x.npy', 'y.csv:pressure', '--seed', '5', '--bits');
    expect(bits.unit).toBe('bits');
    for (const key of ['estimate', 'standardError', 'ceiling'] as const) {
      expect(bits[key]).toBeCloseTo((report[key] as number) / Math.LN2, 10);
    }
    expect(bits.interval[0]).toBeCloseTo(low / Math.LN2, 10);
    expect(bits.nearestNeighbour?.estimate).toBeCloseTo((report.nearestNeighbour?.estimate as number) / Math.LN2, 10);
  });

  it('leaves constant columns out, sees through ties and many columns, and says what it saw', async () => {
    const random = new SeededRandom(1);
    const rows = 400;
    const x = new Float64Array(rows * 60);
    for (let row = 0; row < rows; row++) {
      // Sorted by the first column: ranks by order of rows would tie X to the order.
      x[row * 60] = Math.floor(row / 100);
      x[row * 60 + 1] = 0.1;
      for (let column = 2; column < 60; column++) x[row * 60 + column] = Math.round(random.normal());
    }
    save('tied.npy', x, 60);
    save(
      'noise.npy',
      Float64Array.from({ length: rows * 40 }, () => Math.round(2 * random.normal())),
      40,
    );
    const report = await reportOf('tied.npy', 'noise.npy');
    expect(Math.abs(report.estimate as number)).toBeLessThan(0.05);
    expect(report.x.constant).toEqual(['2']);
    expect(report.warnings.join('\n')).toContain('One column of tied.npy never changes and was left out: 2.');
    expect(report.warnings.join('\n')).toContain('Many values are tied');
  });

  it('says that a constant shares no information', async () => {
    save('constant.npy', new Float64Array(200).fill(7), 1);
    save('short.npy', correlatedGaussians(200, 1, 0, 1).x, 1);
    const report = await reportOf('constant.npy', 'short.npy');
    expect([report.estimate, report.nearestNeighbour, report.canonicalCorrelation]).toEqual([0, null, null]);
    expect(report.warnings).toEqual([
      'constant.npy never changes, so it shares no information: the estimate is 0 by definition.',
    ]);
  });

  it('refuses bad files and arguments with one sentence and exit code 2', async () => {
    save('few.npy', correlatedGaussians(99, 1, 0, 1).x, 1);
    for (const [parameters, sentence] of [
      [['x.npy', 'absent.npy'], 'absent.npy cannot be read in'],
      [['x.npy', 'y.csv:weight'], 'y.csv has no column "weight": it has id, pressure;'],
      [['x.npy', 'few.npy'], 'x.npy has 800 rows and few.npy has 99'],
      [['few.npy', 'few.npy'], 'few.npy and few.npy have 99 rows: at least 100 are needed'],
      [['x.npy', 'y.csv', '--seed', '-1'], "error: option '--seed <n>' argument '-1' is invalid"],
      [['x.npy'], "error: missing required argument 'y'"],
    ] as const) {
      const { exitCode, stdout, stderr } = await estimate(parameters);
      expect([exitCode, stdout]).toEqual([2, '']);
      expect(stderr).toContain(sentence);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
  });

  it('ends at once on Ctrl-C, with exit code 130', async () => {
    const start = performance.now();
    const { exitCode, stdout } = await estimate(['x.npy', 'y.csv:pressure'], 1500);
    expect([exitCode, stdout]).toEqual([130, '']);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
