import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../server/protocol/run-record';
import { version } from '../../../server/version';
import { recordOf, runMine, runsIn, useMinePrograms, writeConfig } from '../runs/mine-programs';

const programs = useMinePrograms();
const mine = (...parameters: string[]) => runMine(programs, parameters);

let run: string;
let id: string;
beforeAll(async () => {
  const config = { training: { iterations: 10 }, evaluation: { every: 4 } };
  await mine('run', writeConfig(programs, 'the run, "quoted"', config), '--set', 'seed=7');
  [run] = runsIn(programs.runs) as [string];
  id = basename(run);
});

describe('mine', () => {
  it('exits with 2 and a sentence on standard error when it is used wrongly', async () => {
    for (const parameters of [
      ['run'],
      ['run', 'a.mine.json', '--resume', id],
      ['run', '--resume', id, '--set', 'seed=1'],
      ['nonsense'],
      ['run', '--nonsense'],
      ['show'],
      ['show', 'nothing'],
      ['export', id],
      ['export', id, '--format', 'xml'],
      ['pause', id],
      ['stop', 'nothing'],
    ]) {
      const outcome = await mine(...parameters);
      expect({ parameters, exitCode: outcome.exitCode, stdout: outcome.stdout }).toEqual({
        parameters,
        exitCode: 2,
        stdout: '',
      });
      expect(outcome.stderr).toMatch(/^(✗|error:) .+\n/);
    }
  });

  it('exits with 2 and one line per problem for a bad configuration, and makes no run', async () => {
    const path = writeConfig(programs, 'bad', { training: { iterations: 0, batchSiz: 5 }, seed: -1 });
    const outcome = await runMine(programs, ['run', path, '--json'], { MINE_RUNS: join(programs.folder, 'never') });
    expect(outcome).toMatchObject({ exitCode: 2, stdout: '' });
    expect(outcome.stderr.trim().split('\n')).toEqual([
      expect.stringContaining('seed: is -1'),
      expect.stringContaining('training.iterations: is 0'),
      expect.stringContaining('training.batchSiz: unknown field; did you mean training.batchSize?'),
    ]);
    expect(existsSync(join(programs.folder, 'never'))).toBe(false);
  });

  it('knows its version, which is that of the package', async () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
      version: string;
    };
    expect(version).toBe(manifest.version);
    expect((await mine('--version')).stdout).toBe(`${version}\n`);
  });

  it('finds a run by its id, by a unique beginning, and by its path', async () => {
    for (const reference of [id, id.slice(0, 7), run]) {
      const { stdout } = await mine('show', reference, '--json');
      const shown = JSON.parse(stdout) as {
        run: RunRecord;
        config: { seed: number };
        summary: object;
        events: object[];
      };
      expect(shown.run).toMatchObject({ id, state: 'finished', seed: 7, step: 10 });
      expect(shown.config.seed).toBe(7);
      expect(shown.events.length).toBeGreaterThan(2);
    }
    const text = await mine('show', id);
    expect(text.stdout).toContain('finished');
    expect(text.stdout).toContain('⚠ This is a regression.');
  });
});

describe('mine list', () => {
  it('shows the runs newest first in at most 100 columns, and names a directory that cannot be read', async () => {
    const runs = join(programs.folder, 'listed');
    const record = recordOf(run);
    const states = ['finished', 'failed', 'running', 'paused', 'interrupted'] as const;
    states.forEach((state, index) => {
      const path = join(runs, `2026-01-0${index + 1}-1200-abcd`);
      mkdirSync(path, { recursive: true });
      const changed = {
        ...record,
        id: basename(path),
        state,
        createdAt: `2026-01-0${index + 1}T12:00:00.000Z`,
        name: `${'a very long name '.repeat(6)}${index}`,
        reason: state === 'failed' ? `loss has not been a finite number since step 812: ${'x'.repeat(80)}` : null,
        iterations: 16_000_000,
        step: 15_999_999,
        process: { ...record.process, pid: 2 ** 22 + 1 },
      };
      writeFileSync(join(path, 'run.json'), JSON.stringify(changed));
    });
    mkdirSync(join(runs, 'damaged'));
    writeFileSync(join(runs, 'damaged', 'run.json'), '{"format": 1, "id":');
    const { stdout, stderr, exitCode } = await mine('list', '--runs', runs);
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.slice(0, 15).trim())).toEqual([
      '■ interrupted',
      '✗ lost',
      '✗ lost',
      '✗ failed',
      '✓ finished',
    ]);
    expect(Math.max(...lines.map((line) => Array.from(line).length))).toBeLessThanOrEqual(100);
    expect(lines[3]).toContain('loss has not been');
    expect(stderr).toContain('run.json is damaged: it is not JSON.');

    const forPrograms = JSON.parse((await mine('list', '--runs', runs, '--json')).stdout) as {
      state: string;
      path: string;
    }[];
    expect(forPrograms.map(({ state }) => state)).toEqual(['interrupted', 'lost', 'lost', 'failed', 'finished']);
    expect(forPrograms[0]!.path).toBe(join(runs, '2026-01-05-1200-abcd'));
    expect((await mine('show', '2026-01', '--runs', runs)).stderr).toContain('"2026-01" begins the ids of 5 runs');
  });

  it('says where it looked when there is none', async () => {
    const outcome = await mine('list', '--runs', join(programs.folder, 'empty'));
    expect(outcome).toMatchObject({ exitCode: 0, stdout: '' });
    expect(outcome.stderr).toContain('No runs in');
    expect((await mine('list', '--runs', join(programs.folder, 'empty'), '--json')).stdout).toBe('[]\n');
  });
});

describe('mine export', () => {
  it('writes a row per step as CSV, empty where a step was not evaluated', async () => {
    const { stdout } = await mine('export', id, '--format', 'csv');
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','));
    expect(rows[0]).toEqual(['step', 'time', 'loss', 'gradientNorm', 'loss.heldOut', 'infiniteOnPurpose']);
    expect(rows.slice(1).map(([step]) => step)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
    expect(rows.slice(1).map((row) => row[5])).toEqual([
      '',
      '',
      '',
      '-Infinity',
      '',
      '',
      '',
      '-Infinity',
      '',
      '-Infinity',
    ]);
  });

  it('writes everything as JSON into a file', async () => {
    const output = join(programs.folder, 'out.json');
    expect(await mine('export', id, '--format', 'json', '--output', output)).toMatchObject({ exitCode: 0, stdout: '' });
    const exported = JSON.parse(readFileSync(output, 'utf8')) as { run: RunRecord; metrics: Record<string, unknown[]> };
    expect(exported.run.id).toBe(id);
    expect(exported.metrics['step']).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(exported.metrics['infiniteOnPurpose']!.slice(2, 5)).toEqual([null, '-Infinity', null]);
    const failed = await mine(
      'export',
      id,
      '--format',
      'csv',
      '--output',
      join(programs.folder, 'no', 'such', 'folder.csv'),
    );
    expect(failed).toMatchObject({ exitCode: 2 });
    expect(failed.stderr).toMatch(/^✗ .*folder\.csv cannot be written: /);
  });
});
