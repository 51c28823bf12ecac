import type { JsonMetrics } from '../protocol/json-number';
import { activeStates, type RunRecord, type RunState } from '../protocol/run-record';
import type { TrainerMessage } from '../protocol/trainer-message';
import { appendEvent, type NewRunEvent } from './events-file';
import { writeRunRecord } from './run-record-file';

const recordEveryMilliseconds = 1000;

/** What the trainer says about its run: `run.json`, `events.jsonl`, and messages to whoever forked it. */
export class RunJournal {
  private recordWrittenAt = -Infinity;

  constructor(
    readonly run: string,
    private current: RunRecord,
    private readonly report: (message: TrainerMessage) => void,
  ) {}

  get record(): RunRecord {
    return this.current;
  }

  tell(message: TrainerMessage): void {
    this.report(message);
  }

  /** Changes fields of `run.json` at once. */
  update(changes: Partial<RunRecord>): void {
    this.write(changes, true);
  }

  /** The record on the disk follows about every second; the message goes at once. */
  progress(step: number, seconds: number, latest: JsonMetrics): void {
    const changes = { step, seconds, latest };
    if (performance.now() - this.recordWrittenAt >= recordEveryMilliseconds) this.write(changes, false);
    else this.current = { ...this.current, ...changes };
    this.report({ kind: 'progress', step, latest });
  }

  setState(state: RunState, reason: string | null = null): void {
    const now = new Date().toISOString();
    this.write({ state, reason, endedAt: activeStates.has(state) ? null : now }, true);
    this.add({ kind: 'state', step: this.current.step, state, reason });
  }

  warn(step: number, message: string, metric?: string): void {
    this.add({ kind: 'warning', step, message, ...(metric !== undefined && { metric }) });
  }

  add(event: NewRunEvent): void {
    this.report({ kind: 'event', event: appendEvent(this.run, event) });
  }

  private write(changes: Partial<RunRecord>, durable: boolean): void {
    this.current = { ...this.current, ...changes, updatedAt: new Date().toISOString() };
    this.recordWrittenAt = performance.now();
    writeRunRecord(this.run, this.current, durable);
  }
}
