import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { load } from 'npyjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readMetrics } from '../../../server/runs/metrics-reader';
import { readCheckpoint } from '../../../server/runs/checkpoints';
import { ensureOracleEnvironment } from '../../oracle/environment';
import { eventually, recordOf, runMine, startRun, useMinePrograms } from './mine-programs';

const programs = useMinePrograms();
const script = join(import.meta.dirname, '../../oracle/run_directory.py');

describe('a run directory that two processes worked on', () => {
  let python: string;
  let run: string;
  let seen: {
    segments: {
      names: string[];
      types: string[];
      firstStep: string;
      steps: number[];
      nulls: Record<string, number>;
      lastRow: Record<string, string>;
    }[];
    metadata: Record<string, string>;
    variables: Record<string, { shape: number[]; dtype: string; values: number[] }>;
    points: { shape: number[]; dtype: string; first: number[] };
    events: string[];
  };

  beforeAll(async () => {
    python = await ensureOracleEnvironment(['numpy==2.4.6', 'pyarrow==26.0.1', 'safetensors==0.8.0']);
    const config = {
      training: { iterations: 20_000, optimizer: { kind: 'sgd', learningRate: 0.01 } },
      evaluation: { every: 5000 },
    };
    const started = await startRun(programs, 'outside', config);
    ({ run } = started);
    await eventually(() => (readMetrics(run).step.length > 0 ? true : null));
    process.kill(recordOf(run).process.pid, 'SIGKILL');
    await started.ended;
    expect(await runMine(programs, ['run', '--resume', run])).toMatchObject({ exitCode: 0 });
    seen = JSON.parse(execFileSync(python, [script, run], { encoding: 'utf8' })) as typeof seen;
  });

  it('has metrics that pyarrow reads to their end', () => {
    const ours = readMetrics(run);
    const [first, second] = seen.segments;
    expect(seen.segments).toHaveLength(2);
    expect(second!.names).toEqual(['step', 'time', 'loss', 'gradientNorm', 'loss.heldOut', 'infiniteOnPurpose']);
    expect(second!.types).toEqual(['int32', 'double', 'double', 'double', 'double', 'double']);
    expect(second!.firstStep).toBe('1');
    expect(second!.steps).toEqual([...ours.step]);
    expect(first!.steps.length).toBeGreaterThan(0);
    expect(second!.nulls).toEqual({
      step: 0,
      time: 0,
      loss: 0,
      gradientNorm: 0,
      'loss.heldOut': 19_996,
      infiniteOnPurpose: 19_996,
    });
    expect(Number(second!.lastRow['loss'])).toBe(ours.metrics.get('loss')!.values.at(-1));
    expect(second!.lastRow['infiniteOnPurpose']).toBe('-inf');
  });

  it('has checkpoints that safetensors reads', () => {
    const file = readdirSync(join(run, 'checkpoints')).sort().at(-1)!;
    const ours = readCheckpoint(join(run, 'checkpoints'), file);
    expect(seen.metadata).toEqual(ours.metadata);
    expect(seen.variables['regression/weights']).toEqual({
      shape: [4],
      dtype: 'float32',
      values: [...ours.variables.get('regression/weights')!.values],
    });
    expect(seen.variables['optimizer/velocity']!.shape).toEqual([4, 1]);
    expect(seen.variables['step']).toEqual({ shape: [], dtype: 'float32', values: [20_000] });
  });

  it('has samples that numpy reads and a picture of them', async () => {
    const content = readFileSync(join(run, 'samples', 'step-020000.npy'));
    const ours = await load(content.buffer.slice(content.byteOffset, content.byteOffset + content.length));
    expect(seen.points).toEqual({
      shape: [200, 2],
      dtype: 'float32',
      first: [...(ours.data as Float32Array).slice(0, 2)],
    });
    const { width, height, channels, data } = decode(readFileSync(join(run, 'samples', 'step-020000.png')));
    expect({ width, height, channels }).toEqual({ width: 640, height: 640, channels: 3 });
    const pixels = Array.from({ length: width * height }, (_, pixel) => [...data.slice(pixel * 3, pixel * 3 + 3)]);
    const strong = pixels.filter(([red, , blue]) => blue! - red! > 80).length;
    const faint = pixels.filter(([red, , blue]) => red! < 240 && Math.abs(blue! - red!) < 20).length;
    expect(strong).toBeGreaterThan(1000);
    expect(faint).toBeGreaterThan(1000);
  });

  it('has events that are JSON lines', () => {
    expect(seen.events).toEqual(expect.arrayContaining(['state', 'resumed', 'checkpoint']));
  });
});
