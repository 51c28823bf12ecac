import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import {
  type Data,
  Field,
  Float64,
  Int32,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
} from 'apache-arrow';
import { writing } from './disk-failure';
import type { Metrics } from '../experiments/experiment';

/** Key of the schema's metadata that holds the first step of a segment: rows of earlier segments from there on are void. */
export const firstStepKey = 'firstStep';

/**
 * Writes one metrics segment, an Arrow IPC stream with the columns
 * - `step` (Int32): iterations done, counted from 1;
 * - `time` (Float64): seconds since the Unix epoch at which the iteration was done;
 * - one Float64 column per metric of an iteration;
 * - one nullable Float64 column per metric of an evaluation, null at a step without one.
 */
export class MetricsWriter {
  private readonly file: number;
  private readonly stream = new ArrowStream();
  private readonly schema: Schema;
  private rows: Row[] = [];
  private position = 0;

  /** Begins the segment. @throws WriteFailure, also if the file exists already. */
  constructor(
    private readonly path: string,
    private readonly metricNames: readonly string[],
    private readonly evaluationMetricNames: readonly string[],
    metadata: { readonly run: string; readonly firstStep: number },
  ) {
    this.schema = new Schema(
      [
        new Field('step', new Int32(), false),
        new Field('time', new Float64(), false),
        ...metricNames.map((name) => new Field(name, new Float64(), false)),
        ...evaluationMetricNames.map((name) => new Field(name, new Float64(), true)),
      ],
      new Map([
        ['run', metadata.run],
        [firstStepKey, String(metadata.firstStep)],
      ]),
    );
    this.file = writing(path, () => openSync(path, 'wx'));
    this.stream.begin(this.schema);
    this.writeOut();
  }

  /** Adds a row; it reaches the file at the next `flush`. `values` are those of `metricNames`, in order. */
  add(step: number, time: number, values: ArrayLike<number>, evaluation: Metrics | null): void {
    this.rows.push({ step, time, values, evaluation });
  }

  /** Writes the rows added so far as one batch; then they survive the death of this process. @throws WriteFailure */
  flush(): void {
    if (this.rows.length === 0) return;
    this.stream.write(this.batchOf(this.rows));
    this.rows = [];
    this.writeOut();
  }

  close(): void {
    this.flush();
    this.stream.finish();
    this.writeOut();
    closeSync(this.file);
  }

  /** Closes the file without what is not yet written, for a run that failed on this very file. */
  abandon(): void {
    closeSync(this.file);
  }

  private batchOf(rows: readonly Row[]): RecordBatch {
    const steps = Int32Array.from(rows, ({ step }) => step);
    const times = Float64Array.from(rows, ({ time }) => time);
    const columns: Data[] = [
      makeData({ type: new Int32(), data: steps }),
      makeData({ type: new Float64(), data: times }),
      ...this.metricNames.map((_, index) =>
        makeData({ type: new Float64(), data: Float64Array.from(rows, ({ values }) => values[index] ?? NaN) }),
      ),
      ...this.evaluationMetricNames.map((name) => nullableColumn(rows.map(({ evaluation }) => evaluation?.[name]))),
    ];
    const type = new Struct(this.schema.fields);
    return new RecordBatch(this.schema, makeData({ type, length: rows.length, nullCount: 0, children: columns }));
  }

  /** Appends what the stream has produced. A write that fails half-way is taken back, so that the file ends with a whole batch. */
  private writeOut(): void {
    const bytes = Buffer.concat(this.stream.take());
    writing(this.path, () => {
      try {
        for (let written = 0; written < bytes.length;) written += writeSync(this.file, bytes, written);
      } catch (error) {
        ftruncateSync(this.file, this.position);
        throw error;
      }
    });
    this.position += bytes.length;
  }
}

interface Row {
  readonly step: number;
  readonly time: number;
  readonly values: ArrayLike<number>;
  readonly evaluation: Metrics | null;
}

function nullableColumn(values: readonly (number | undefined)[]): Data<Float64> {
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8));
  let nullCount = 0;
  const data = Float64Array.from(values, (value, row) => {
    if (value === undefined) nullCount += 1;
    else nullBitmap[row >> 3]! |= 1 << (row & 7);
    return value ?? NaN;
  });
  return makeData({ type: new Float64(), data, nullBitmap, nullCount });
}

/** Arrow's stream writer with its bytes taken out synchronously: its own queue can only be read asynchronously. */
class ArrowStream extends RecordBatchStreamWriter {
  private chunks: Uint8Array[] = [];

  begin(schema: Schema): void {
    this.reset(undefined, schema);
  }

  take(): Uint8Array[] {
    const taken = this.chunks;
    this.chunks = [];
    return taken;
  }

  protected override _write(chunk: ArrayBuffer | ArrayBufferView): this {
    if (!this._started) return this;
    const bytes = ArrayBuffer.isView(chunk)
      ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      : new Uint8Array(chunk);
    this._position += bytes.byteLength;
    this.chunks.push(bytes);
    return this;
  }
}
