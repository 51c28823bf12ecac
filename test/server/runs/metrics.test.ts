import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  endTornSegments,
  metricBatches,
  metricNamesOf,
  nextSegmentIndex,
  readMetrics,
} from '../../../server/runs/metrics-reader';
import { MetricsWriter } from '../../../server/runs/metrics-writer';

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'mine-metrics-'));
});
afterEach(() => {
  rmSync(run, { recursive: true });
});

function startSegment(index: number, firstStep = 1, evaluationMetrics: readonly string[] = ['heldOut']): MetricsWriter {
  const path = join(run, `metrics-${String(index).padStart(4, '0')}.arrow`);
  return new MetricsWriter(path, ['loss', 'ratio'], evaluationMetrics, { run: 'a', firstStep });
}

/** Steps `from` to `to`, flushed three at a time, each with its own values. */
function writeSteps(writer: MetricsWriter, from: number, to: number, scale = 1): void {
  for (let step = from; step <= to; step += 1) {
    writer.add(step, 1000 + step, [step * scale, -step], step % 4 === 0 ? { heldOut: step / 2 } : null);
    if (step % 3 === 0) writer.flush();
  }
}

describe('the metrics of a run', () => {
  it('come back as written, with NaN and infinities, and tell a missing evaluation from a NaN', () => {
    const writer = startSegment(1);
    writer.add(1, 10.5, [NaN, Infinity], null);
    writer.add(2, 11.5, [-Infinity, 0.1], { heldOut: NaN });
    writer.flush();
    writer.add(3, 12.5, [1e-300, -0], { heldOut: Infinity });
    writer.close();
    const { step, time, metrics } = readMetrics(run);
    expect([...step]).toEqual([1, 2, 3]);
    expect([...time]).toEqual([10.5, 11.5, 12.5]);
    expect([...metrics.keys()]).toEqual(['loss', 'ratio', 'heldOut']);
    expect([...metrics.get('loss')!.values]).toEqual([NaN, -Infinity, 1e-300]);
    expect([...metrics.get('ratio')!.values]).toEqual([Infinity, 0.1, -0]);
    expect([...metrics.get('heldOut')!.values]).toEqual([NaN, NaN, Infinity]);
    expect([...metrics.get('heldOut')!.present]).toEqual([0, 1, 1]);
  });

  it('can be read up to the last whole batch wherever the file is cut off', () => {
    const writer = startSegment(1);
    const path = join(run, 'metrics-0001.arrow');
    const ends = [statSync(path).size];
    for (let step = 1; step <= 9; step += 1) {
      writer.add(step, step, [step, 0], null);
      if (step % 3 === 0) {
        writer.flush();
        ends.push(statSync(path).size);
      }
    }
    writer.abandon();
    copyFileSync(path, join(run, 'whole'));
    for (let length = ends.at(-1)!; length >= 0; length -= 1) {
      truncateSync(path, length);
      const whole = Math.max(0, ends.filter((end) => end <= length).length - 1);
      expect([...readMetrics(run).step], `cut at ${length}`).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].slice(0, whole * 3));
    }
  });

  it('can be read past any damage to what follows the last whole batch', () => {
    const writer = startSegment(1);
    writeSteps(writer, 1, 6);
    writer.abandon();
    const path = join(run, 'metrics-0001.arrow');
    const { size } = statSync(path);
    const tails = [
      Buffer.alloc(64),
      Buffer.alloc(64, 255),
      Buffer.from('not arrow at all'),
      Buffer.from([255, 255, 255, 255, 0, 0, 0, 127]),
    ];
    for (const tail of tails) {
      truncateSync(path, size);
      appendFileSync(path, tail);
      expect([...readMetrics(run).step]).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });

  it('are those of the newest segment where a resumed process computed steps again', () => {
    const first = startSegment(1);
    writeSteps(first, 1, 12);
    first.abandon();
    const second = startSegment(2, 7);
    writeSteps(second, 7, 9, 100);
    second.abandon();
    // Began again from an even older checkpoint, with one more metric, and was killed before its first batch.
    const third = startSegment(3, 5, ['heldOut', 'further']);
    third.abandon();
    expect([...readMetrics(run).step]).toEqual([1, 2, 3, 4]);
    const fourth = startSegment(4, 5, ['heldOut', 'further']);
    writeSteps(fourth, 5, 8, 1000);
    fourth.close();
    const { step, metrics } = readMetrics(run);
    expect([...step]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...metrics.get('loss')!.values]).toEqual([1, 2, 3, 4, 5000, 6000, 7000, 8000]);
    expect([...metrics.get('further')!.present]).toEqual(new Array(8).fill(0));
    expect(metricNamesOf(run)).toEqual(['loss', 'ratio', 'heldOut', 'further']);
    expect(nextSegmentIndex(run)).toBe(5);
  });

  it('are a stream that any Arrow reader reads to its end once a torn segment has been ended', () => {
    const writer = startSegment(1);
    writeSteps(writer, 1, 7);
    writer.abandon();
    const path = join(run, 'metrics-0001.arrow');
    truncateSync(path, statSync(path).size - 5);
    endTornSegments(run);
    expect(tableFromIPC(readFileSync(path)).numRows).toBe(3);
    const ended = readFileSync(path);
    endTornSegments(run);
    expect(readFileSync(path)).toEqual(ended);
  });

  it('are read in batches that do not hold a long run in memory', () => {
    const writer = startSegment(1);
    for (let step = 1; step <= 200_000; step += 1) {
      writer.add(step, step, [step, -step], null);
      if (step % 1000 === 0) writer.flush();
    }
    writer.close();
    const sizes = [...metricBatches(run)].map(({ step }) => step.length);
    expect(sizes).toEqual(new Array(200).fill(1000));
  });
});
