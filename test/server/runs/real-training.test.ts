import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEvents } from '../../../server/runs/events-file';
import { readMetrics } from '../../../server/runs/metrics-reader';
import { eventually, recordOf, runMine, runsIn, runsOf, startRun, useMinePrograms, writeConfig } from './mine-programs';

// The programs exactly as they ship, on the engine that is installed, else on the portable one.
const programs = useMinePrograms('server/trainer.ts');

const small = {
  experiment: 'gan',
  data: { kind: 'gaussian-grid', examples: 2000, side: 3 },
  generator: { hidden: [16, 16] },
  discriminator: { hidden: [16] },
  statisticsNetwork: { hidden: [16] },
  training: { iterations: 1500, batchSize: 32 },
  evaluation: { every: 500, samples: 400 },
  checkpoint: { everySeconds: 1 },
  // Compiling with XLA would take longer than the training.
  execution: { compile: 'graph' },
};

describe('a GAN with the MINE term', () => {
  it('trains, and after kill -9 and --resume gives the same metrics bit for bit', { timeout: 240_000 }, async () => {
    const runs = runsOf(programs, 'uninterrupted');
    const outcome = await runMine(programs, ['run', writeConfig(programs, 'gan', small), '--runs', runs, '--json']);
    expect(outcome).toMatchObject({ exitCode: 0 });
    const summary = JSON.parse(outcome.stdout) as { estimate: number; interval: [number, number]; reverseKl: number };
    expect(summary.interval[0]).toBeLessThanOrEqual(summary.estimate);
    expect(summary.interval[1]).toBeGreaterThanOrEqual(summary.estimate);
    expect(summary.reverseKl).toBeGreaterThan(0);
    const whole = runsIn(runs)[0]!;
    expect(recordOf(whole).device!.engine).toMatch(/^(native|wasm)$/);
    expect(readdirSync(join(whole, 'samples'))).toContain('step-001500.png');

    const { run, ended } = await startRun(programs, 'killed', small);
    await eventually(() => (readEvents(run).some(({ kind }) => kind === 'checkpoint') ? true : null), 60);
    process.kill(recordOf(run).process.pid, 'SIGKILL');
    await ended;
    expect(await runMine(programs, ['run', '--resume', run])).toMatchObject({ exitCode: 0 });
    const resumed = readEvents(run).find(({ kind }) => kind === 'resumed');
    expect(resumed!.step).toBeGreaterThan(0);
    const [one, other] = [readMetrics(whole), readMetrics(run)];
    expect(other.step).toEqual(one.step);
    expect(other.metrics).toEqual(one.metrics);
    expect(existsSync(join(run, 'summary.json'))).toBe(true);
    expect(readFileSync(join(run, 'log.txt'), 'utf8')).not.toContain('Error');
  });
});
