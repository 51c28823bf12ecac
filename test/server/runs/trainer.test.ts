import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../server/protocol/run-event';
import { readEvents } from '../../../server/runs/events-file';
import { shownStateOf } from '../../../server/runs/find-run';
import { readMetrics } from '../../../server/runs/metrics-reader';
import {
  eventually,
  recordOf,
  runMine,
  runsIn,
  runsOf,
  startMine,
  startRun,
  useMinePrograms,
  writeConfig,
} from './mine-programs';

const programs = useMinePrograms();
const sgd = (learningRate: number) => ({ kind: 'sgd', learningRate });

/** A run that lasts until it is ended. */
const endless = { training: { iterations: 16_000_000, optimizer: sgd(0.01) }, evaluation: { every: 1000 } };

function valuesOf(run: string) {
  const { step, metrics } = readMetrics(run);
  return {
    step: [...step],
    columns: [...metrics].map(([name, { values, present }]) => ({ name, values: [...values], present: [...present] })),
  };
}

function eventsOf<Kind extends RunEvent['kind']>(run: string, kind: Kind) {
  return readEvents(run).filter((event): event is Extract<RunEvent, { kind: Kind }> => event.kind === kind);
}

describe('a run that is left alone', () => {
  const config = { training: { iterations: 1234, optimizer: sgd(0.01) }, evaluation: { every: 100 } };

  it('finishes with a complete directory and prints its summary', async () => {
    const runs = runsOf(programs, 'complete');
    const outcome = await runMine(programs, [
      'run',
      writeConfig(programs, 'complete', config),
      '--runs',
      runs,
      '--json',
    ]);
    expect(outcome).toMatchObject({ exitCode: 0 });
    const [run] = runsIn(runs);
    const summary = JSON.parse(outcome.stdout) as Record<string, unknown>;
    expect(summary).toEqual(JSON.parse(readFileSync(join(run!, 'summary.json'), 'utf8')));
    expect(summary).toMatchObject({
      unit: 'nats',
      truth: 0.01,
      warnings: ['This is a regression.'],
      iterations: 1234,
      neverSeen: 'NaN',
    });
    expect(summary['estimate']).toBeCloseTo(0.01, 2);
    expect(recordOf(run!)).toMatchObject({ id: basename(run!), state: 'finished', step: 1234, reason: null, seed: 1 });
    expect(basename(run!)).toMatch(/^\d{4}-\d\d-\d\d-\d{4}-[a-z0-9]{4}$/);

    const { step, metrics } = readMetrics(run!);
    expect([...step]).toEqual(Array.from({ length: 1234 }, (_, i) => i + 1));
    const heldOut = metrics.get('loss.heldOut')!;
    const evaluatedAt = [...step].filter((_, row) => heldOut.present[row]);
    expect(evaluatedAt).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100, 1200, 1234]);
    expect(metrics.get('infiniteOnPurpose')!.values[99]).toBe(-Infinity);
    expect(readdirSync(join(run!, 'samples'))).toContain('step-000500.png');
    expect(readdirSync(join(run!, 'samples'))).toContain('step-000500.npy');
    expect(readdirSync(join(run!, 'checkpoints'))).toContain('step-000001234.safetensors');
    expect(readFileSync(join(run!, 'config.json'), 'utf8')).toContain('"movingAverageRate": 0.01');
    expect(readdirSync(join(run!, 'control'))).toEqual([]);
  });

  it('gives the same metrics, bit for bit, when it runs again', async () => {
    const runs = runsOf(programs, 'twice');
    const path = writeConfig(programs, 'twice', config);
    await runMine(programs, ['run', path, '--runs', runs]);
    await runMine(programs, ['run', path, '--runs', runs, '--set', 'name=again']);
    await runMine(programs, ['run', path, '--runs', runs, '--set', 'seed=2']);
    const [first, second, other] = runsIn(runs).sort((a, b) =>
      recordOf(a).createdAt.localeCompare(recordOf(b).createdAt),
    );
    expect(valuesOf(second!)).toEqual(valuesOf(first!));
    expect(valuesOf(other!)).not.toEqual(valuesOf(first!));
  });
});

/** Iterations of which a fast machine makes about 30,000 in a second: the run must still be there when it is killed. */
const LONGER_THAN_TWO_CHECKPOINTS = 200_000;

describe('a trainer that is killed', () => {
  it('leaves every flushed row, is shown as lost, and goes on bit for bit after --resume', async () => {
    const config = {
      training: { iterations: LONGER_THAN_TWO_CHECKPOINTS, optimizer: sgd(0.01) },
      evaluation: { every: 5000 },
      checkpoint: { everySeconds: 1 },
    };
    const { run, ended } = await startRun(programs, 'killed', config);
    await eventually(() => (recordOf(run).step > 1000 && eventsOf(run, 'checkpoint').length > 1 ? true : null));
    const seen = valuesOf(run);
    process.kill(recordOf(run).process.pid, 'SIGKILL');
    const outcome = await ended;
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toContain('SIGKILL');
    expect(recordOf(run).state).toBe('running');
    expect(shownStateOf(recordOf(run))).toBe('lost');
    expect((await runMine(programs, ['list', '--runs', join(run, '..')])).stdout).toContain('✗ lost');
    const left = valuesOf(run);
    expect(left.step.length).toBeGreaterThanOrEqual(seen.step.length);
    expect(left.columns[0]!.values.slice(0, seen.step.length)).toEqual(seen.columns[0]!.values);

    const resumed = await runMine(programs, ['run', '--resume', run]);
    expect(resumed.exitCode).toBe(0);
    expect(eventsOf(run, 'resumed')).toMatchObject([{ segment: 'metrics-0002.arrow' }]);
    expect(eventsOf(run, 'resumed')[0]!.step).toBeGreaterThan(0);
    const uninterrupted = runsOf(programs, 'killed-not');
    await runMine(programs, ['run', join(programs.folder, 'killed.mine.json'), '--runs', uninterrupted]);
    expect(valuesOf(run)).toEqual(valuesOf(runsIn(uninterrupted)[0]!));
  });

  it('loses at most what it had not flushed for 250 ms', async () => {
    const { run, ended } = await startRun(programs, 'flushes', endless);
    await delay(500);
    const killedAt = Date.now() / 1000;
    process.kill(recordOf(run).process.pid, 'SIGKILL');
    await ended;
    const lastRow = readMetrics(run).time.at(-1)!;
    // 100 ms more for a test machine that does other things as well.
    expect(killedAt - lastRow).toBeLessThan(0.35);
  });

  it('resumes past torn files and a damaged checkpoint', async () => {
    const config = {
      training: { iterations: LONGER_THAN_TWO_CHECKPOINTS, optimizer: sgd(0.01) },
      evaluation: { every: 5000 },
      checkpoint: { everySeconds: 1 },
    };
    const { run, ended } = await startRun(programs, 'torn', config);
    // Not a third one that was being written when the process was killed.
    const checkpoints = (): string[] =>
      readdirSync(join(run, 'checkpoints'))
        .filter((file) => file.endsWith('.safetensors'))
        .sort();
    await eventually(() => (checkpoints().length >= 2 ? true : null));
    process.kill(recordOf(run).process.pid, 'SIGKILL');
    await ended;
    const newest = checkpoints().at(-1)!;
    truncateSync(join(run, 'checkpoints', newest), 300);
    appendFileSync(join(run, 'metrics-0001.arrow'), Buffer.from([255, 255, 255, 255, 16, 1, 0, 0, 1, 2, 3]));
    appendFileSync(join(run, 'events.jsonl'), '{"kind":"state","ti');
    writeFileSync(join(run, 'control', 'stop'), '');

    expect(await runMine(programs, ['run', '--resume', run])).toMatchObject({ exitCode: 0 });
    expect(recordOf(run).state).toBe('finished');
    expect(eventsOf(run, 'warning').map(({ message }) => message)).toEqual([
      expect.stringMatching(
        new RegExp(`checkpoints/${newest} cannot be read and was renamed to ${newest}.damaged: .*cut off`),
      ),
    ]);
    expect(
      readFileSync(join(run, 'events.jsonl'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .every((line) => line.endsWith('}')),
    ).toBe(true);
    expect(valuesOf(run).step).toEqual(Array.from({ length: LONGER_THAN_TWO_CHECKPOINTS }, (_, i) => i + 1));
  });

  it('starts again from the beginning where no checkpoint was written yet', async () => {
    const { run, ended } = await startRun(programs, 'early', {
      training: { iterations: 20_000, optimizer: sgd(0.01) },
      evaluation: { every: 5000 },
    });
    process.kill(recordOf(run).process.pid, 'SIGKILL');
    await ended;
    await runMine(programs, ['run', '--resume', run]);
    expect(eventsOf(run, 'resumed')).toMatchObject([{ step: 0, checkpoint: null }]);
    expect(valuesOf(run).step).toHaveLength(20_000);
  });
});

describe('taking a run up', () => {
  it('lets one of two processes that race resume it', async () => {
    const { run, ended } = await startRun(programs, 'race', endless);
    process.kill(recordOf(run).process.pid, 'SIGKILL');
    await ended;
    const racers = [startMine(programs, ['run', '--resume', run]), startMine(programs, ['run', '--resume', run])];
    const loser = await Promise.race(racers.map(async (racer) => ({ racer, outcome: await racer.ended })));
    expect(loser.outcome.exitCode).toBe(2);
    expect(loser.outcome.stderr).toMatch(/is (preparing|running) in process \d+: stop it first/);
    await eventually(() => (recordOf(run).state === 'running' ? true : null));
    expect(await runMine(programs, ['stop', run])).toMatchObject({ exitCode: 0 });
    expect(await racers.find(({ process: one }) => one !== loser.racer.process)!.ended).toMatchObject({ exitCode: 0 });
    expect(readdirSync(run).filter((name) => name.endsWith('.arrow'))).toEqual([
      'metrics-0001.arrow',
      'metrics-0002.arrow',
    ]);
  });

  it('is refused for a run that is finished, and for one that another host works on', async () => {
    const runs = runsOf(programs, 'done');
    const path = writeConfig(programs, 'done', { training: { iterations: 5 } });
    await runMine(programs, ['run', path, '--runs', runs]);
    const [run] = runsIn(runs);
    const finished = await runMine(programs, ['run', '--resume', run!]);
    expect(finished).toMatchObject({ exitCode: 2 });
    expect(finished.stderr).toContain('is finished: there is nothing to resume');
    const elsewhere = {
      ...recordOf(run!),
      state: 'running',
      process: { pid: 1, startTime: 'x', host: 'another-host' },
    };
    writeFileSync(join(run!, 'run.json'), JSON.stringify(elsewhere));
    const refused = await runMine(programs, ['run', '--resume', run!]);
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toContain('on another-host');
  });
});

describe('interruption', () => {
  it('by Ctrl-C writes a checkpoint and exits with 130; the run resumes bit for bit', async () => {
    const config = { training: { iterations: 20_000, optimizer: sgd(0.01) }, evaluation: { every: 1000 } };
    const { run, process: mine, ended } = await startRun(programs, 'interrupted', config);
    mine.kill('SIGINT');
    // A terminal that closes while the checkpoint is written is no second Ctrl-C. Later, since two signals at once have no order.
    await delay(20);
    mine.kill('SIGHUP');
    const outcome = await ended;
    expect(outcome.exitCode).toBe(130);
    expect(recordOf(run)).toMatchObject({ state: 'interrupted', reason: 'Interrupted by Ctrl-C.' });
    const [checkpoint] = eventsOf(run, 'checkpoint').slice(-1);
    expect(checkpoint!.step).toBe(recordOf(run).step);
    expect(existsSync(join(run, checkpoint!.file))).toBe(true);
    expect(existsSync(join(run, 'summary.json'))).toBe(false);

    expect(await runMine(programs, ['run', '--resume', run])).toMatchObject({ exitCode: 0 });
    const uninterrupted = runsOf(programs, 'interrupted-not');
    await runMine(programs, ['run', join(programs.folder, 'interrupted.mine.json'), '--runs', uninterrupted]);
    expect(valuesOf(run)).toEqual(valuesOf(runsIn(uninterrupted)[0]!));
  });

  it('by a terminal that closes writes a checkpoint, also if one Ctrl-C follows', async () => {
    const { run, process: mine, ended } = await startRun(programs, 'closed', endless);
    mine.kill('SIGHUP');
    mine.kill('SIGINT');
    expect((await ended).exitCode).toBe(130);
    expect(recordOf(run).state).toBe('interrupted');
    expect(eventsOf(run, 'checkpoint').at(-1)!.step).toBe(recordOf(run).step);
  });

  it('by the death of the command line leaves a checkpoint and no process behind', async () => {
    const { run, process: mine, ended } = await startRun(programs, 'orphaned', endless);
    const { pid } = recordOf(run).process;
    mine.kill('SIGKILL');
    await ended;
    await eventually(() => (recordOf(run).state === 'interrupted' ? true : null));
    expect(eventsOf(run, 'checkpoint').at(-1)!.step).toBe(recordOf(run).step);
    await eventually(() => (isGone(pid) ? true : null));
  });
});

describe('requests', () => {
  it('pause, checkpoint, resume and stop a run from another process', async () => {
    const { run, ended } = await startRun(programs, 'controlled', endless);
    const id = basename(run);
    const control = (...parameters: string[]) => runMine(programs, [...parameters, '--runs', join(run, '..')]);
    expect((await control('pause', id)).stderr).toContain('is paused at step');
    const { step } = recordOf(run);
    const before = eventsOf(run, 'checkpoint').length;
    await delay(300);
    expect(recordOf(run)).toMatchObject({ state: 'paused', step });
    expect(await control('checkpoint', id.slice(0, -2))).toMatchObject({ exitCode: 0 });
    expect((await control('resume', id)).stderr).toContain('is running');
    await eventually(() => (recordOf(run).step > step ? true : null));
    expect(await control('checkpoint', run)).toMatchObject({ exitCode: 0 });
    expect(eventsOf(run, 'checkpoint').length).toBeGreaterThan(before);

    expect((await control('stop', id)).stderr).toContain('is stopped at step');
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(recordOf(run)).toMatchObject({ state: 'stopped', reason: 'Stopped on request.' });
    const summary = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8')) as { warnings: string[] };
    expect(summary.warnings[0]).toMatch(/^The run was stopped at step \d+ of 16000000\.$/);
    const refused = await control('pause', id);
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toContain(`${id} is stopped, there is nothing to pause: \`mine run --resume ${id}\``);
  });
});

describe('faults', () => {
  it('fails when the loss stays NaN, names the step, and keeps the rows and the checkpoints before', async () => {
    const runs = runsOf(programs, 'diverging');
    const config = { training: { iterations: 5000, optimizer: sgd(3) }, evaluation: { every: 7 } };
    const outcome = await runMine(programs, [
      'run',
      writeConfig(programs, 'diverging', config),
      '--runs',
      runs,
      '--json',
    ]);
    expect(outcome).toMatchObject({ exitCode: 1, stdout: '' });
    const [run] = runsIn(runs);
    const { state, reason, step } = recordOf(run!);
    expect(state).toBe('failed');
    const since = Number(
      /^loss has not been a finite number since step (\d+): lower the learning rate/.exec(reason!)![1],
    );
    const { values } = readMetrics(run!).metrics.get('loss')!;
    expect(values.findIndex((value) => !Number.isFinite(value)) + 1).toBe(since);
    expect(values.length).toBe(since + 9);
    expect(step).toBeLessThanOrEqual(since + 9);
    expect(eventsOf(run!, 'warning')[0]).toMatchObject({ step: since, metric: 'loss' });
    expect(outcome.stderr).toContain(reason);
  });

  it('says in one sentence that a runs folder cannot be made', async () => {
    const outcome = await runMine(programs, [
      'run',
      writeConfig(programs, 'nowhere', {}),
      '--runs',
      join(programs.cli, 'runs'),
    ]);
    expect(outcome).toMatchObject({ exitCode: 2 });
    expect(outcome.stderr).toMatch(
      /^✗ .*cannot be written: a part of the path is a file, not a folder: choose another folder\.\n$/,
    );
  });

  // Mounting a small disk takes root, which containers and CI have.
  it.runIf(process.getuid?.() === 0 && process.platform === 'linux')(
    'fails in one sentence when the disk is full, with what was written intact',
    async () => {
      const disk = join(programs.folder, 'small-disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk]);
      try {
        const config = { ...endless, checkpoint: { everySeconds: 1 } };
        const outcome = await runMine(programs, ['run', writeConfig(programs, 'full', config), '--runs', disk]);
        expect(outcome).toMatchObject({ exitCode: 1 });
        expect(outcome.stderr).toMatch(/✗ failed: .*cannot be written: the disk is full: free some space\.\n/);
        const [run] = runsIn(disk);
        expect(recordOf(run!)).toMatchObject({ state: 'failed' });
        const { step } = readMetrics(run!);
        expect(step.length).toBeGreaterThan(100);
        expect([...step]).toEqual(Array.from({ length: step.length }, (_, i) => i + 1));

        execFileSync('mount', ['-o', 'remount,size=16m', disk]);
        const resumed = startMine(programs, ['run', '--resume', run!]);
        await eventually(() => (recordOf(run!).state === 'running' && recordOf(run!).step > step.length ? true : null));
        await runMine(programs, ['stop', run!]);
        expect(await resumed.ended).toMatchObject({ exitCode: 0 });
      } finally {
        execFileSync('umount', [disk]);
        rmSync(disk, { recursive: true });
      }
    },
  );
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
