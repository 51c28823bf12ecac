import { closeSync, ftruncateSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type RecordBatch, RecordBatchReader, type Schema } from 'apache-arrow';
import { arrowFrames } from './arrow-frames';
import { firstStepKey } from './metrics-writer';
import { segmentIndexOf } from './run-paths';

/** One metric over some rows. */
export interface MetricColumn {
  /** NaN where there is no value. */
  readonly values: Float64Array;
  /** 1 where there is a value (which may be NaN too), 0 where the step was not evaluated. */
  readonly present: Uint8Array;
}

/** Rows of the metrics of a run, in order. */
export interface MetricRows {
  /** Iterations done, counted from 1. */
  readonly step: Int32Array;
  /** Seconds since the Unix epoch. */
  readonly time: Float64Array;
  readonly metrics: ReadonlyMap<string, MetricColumn>;
}

/** A segment that can be read, however its end looks. */
interface Segment {
  readonly path: string;
  readonly schema: Schema;
  /** Rows from this step on are superseded by a later segment; Infinity if none are. */
  readonly supersededFrom: number;
}

/** Names of the metrics of a run, in the order of the columns. */
export function metricNamesOf(run: string): string[] {
  return [...new Set(segmentsOf(run).flatMap(({ schema }) => metricNamesIn(schema)))];
}

/**
 * The metrics of a run, batch by batch as they were written, without the rows that a resumed process computed again. A
 * torn end is passed over. Every batch has every metric of the run.
 */
export function* metricBatches(run: string): Generator<MetricRows> {
  const segments = segmentsOf(run);
  const names = [...new Set(segments.flatMap(({ schema }) => metricNamesIn(schema)))];
  for (const { path, supersededFrom } of segments) {
    for (const batch of recordBatchesIn(path)) {
      const rows = rowsBefore(supersededFrom, batch, names);
      if (rows.step.length > 0) yield rows;
    }
  }
}

/** All metrics of a run in memory. */
export function readMetrics(run: string): MetricRows {
  const batches = [...metricBatches(run)];
  const count = batches.reduce((sum, { step }) => sum + step.length, 0);
  const metrics = new Map<string, MetricColumn>(
    metricNamesOf(run).map((name) => [name, { values: new Float64Array(count), present: new Uint8Array(count) }]),
  );
  const all = { step: new Int32Array(count), time: new Float64Array(count), metrics };
  let row = 0;
  for (const batch of batches) {
    all.step.set(batch.step, row);
    all.time.set(batch.time, row);
    for (const [name, { values, present }] of batch.metrics) {
      metrics.get(name)!.values.set(values, row);
      metrics.get(name)!.present.set(present, row);
    }
    row += batch.step.length;
  }
  return all;
}

/**
 * Cuts a torn last batch off every segment and ends the stream, so that any Arrow reader reads it to its end. Only the
 * process that holds the run may do this.
 */
export function endTornSegments(run: string): void {
  for (const path of segmentPaths(run)) {
    const file = openSync(path, 'r+');
    try {
      let end = 0;
      for (const frame of arrowFrames(file, 0)) end = frame.end;
      // Not even the schema got there: nothing to end.
      if (end === 0) continue;
      ftruncateSync(file, end);
      writeSync(file, endOfStream, 0, endOfStream.length, end);
    } finally {
      closeSync(file);
    }
  }
}

const endOfStream = Buffer.from(Int32Array.of(-1, 0).buffer);

/** Index of the next segment of a run. */
export function nextSegmentIndex(run: string): number {
  return 1 + Math.max(0, ...readdirSync(run).map((name) => segmentIndexOf(name) ?? 0));
}

function segmentPaths(run: string): string[] {
  return readdirSync(run)
    .flatMap((name) => {
      const index = segmentIndexOf(name);
      return index === null ? [] : [{ index, path: join(run, name) }];
    })
    .sort((a, b) => a.index - b.index)
    .map(({ path }) => path);
}

function segmentsOf(run: string): Segment[] {
  const segments: Segment[] = [];
  let supersededFrom = Infinity;
  for (const path of segmentPaths(run).reverse()) {
    const schema = schemaOf(path);
    if (schema === null) continue;
    segments.unshift({ path, schema, supersededFrom });
    supersededFrom = Math.min(supersededFrom, Number(schema.metadata.get(firstStepKey) ?? Infinity));
  }
  return segments;
}

function schemaOf(path: string): Schema | null {
  return withFile(path, (file) => {
    for (const { bytes } of arrowFrames(file, 0)) return RecordBatchReader.from(bytes).open().schema;
    return null;
  });
}

function metricNamesIn(schema: Schema): string[] {
  const names: string[] = schema.names.map(String);
  return names.filter((name) => name !== 'step' && name !== 'time');
}

/** Decoded in groups of frames, since each decoding reads the schema again. */
function* recordBatchesIn(path: string): Generator<RecordBatch> {
  const groupBytes = 4 << 20;
  const file = openSync(path, 'r');
  try {
    let schema: Buffer | null = null;
    let group: Buffer[] = [];
    let size = 0;
    for (const { bytes } of arrowFrames(file, 0)) {
      if (schema === null) {
        schema = bytes;
        continue;
      }
      group.push(bytes);
      size += bytes.length;
      if (size < groupBytes) continue;
      yield* RecordBatchReader.from(Buffer.concat([schema, ...group]));
      group = [];
      size = 0;
    }
    if (schema !== null && group.length > 0) yield* RecordBatchReader.from(Buffer.concat([schema, ...group]));
  } finally {
    closeSync(file);
  }
}

function rowsBefore(firstVoidStep: number, batch: RecordBatch, names: readonly string[]): MetricRows {
  const steps = batch.getChild('step')!.toArray() as Int32Array;
  // Steps rise within a segment, so the superseded rows are its last ones.
  const count = steps.findIndex((step) => step >= firstVoidStep);
  const length = count === -1 ? steps.length : count;
  const metrics = new Map(names.map((name) => [name, columnOf(batch, name, length)]));
  const time = batch.getChild('time')!.toArray() as Float64Array;
  return { step: steps.subarray(0, length), time: time.subarray(0, length), metrics };
}

function columnOf(batch: RecordBatch, name: string, length: number): MetricColumn {
  const vector = batch.getChild(name);
  if (vector === null) return { values: new Float64Array(length).fill(NaN), present: new Uint8Array(length) };
  const values = Float64Array.from((vector.toArray() as Float64Array).subarray(0, length));
  if (vector.nullCount === 0) return { values, present: new Uint8Array(length).fill(1) };
  const present = Uint8Array.from({ length }, (_, row) => (vector.isValid(row) ? 1 : 0));
  present.forEach((isPresent, row) => {
    if (!isPresent) values[row] = NaN;
  });
  return { values, present };
}

function withFile<T>(path: string, use: (file: number) => T): T {
  const file = openSync(path, 'r');
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}
