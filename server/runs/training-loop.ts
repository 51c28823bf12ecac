import { join } from 'node:path';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import type { ExperimentConfig } from '../config/experiment-config';
import type { Metrics, Training } from '../experiments/experiment';
import { jsonMetricsOf } from '../protocol/json-number';
import { CheckpointKeeper } from './checkpoint-keeper';
import { ChunkLength } from './chunk-length';
import { removeRequest, waitingRequests } from './control-files';
import { MetricsWriter } from './metrics-writer';
import { NonFiniteWatch } from './non-finite-watch';
import type { RunJournal } from './run-journal';
import { writeSamples } from './samples-files';
import { summaryOf, writeSummary } from './summary-file';
import { WorkClock } from './work-clock';

/** Together with a chunk of 75 ms this keeps what a killed process loses under 250 ms. */
const flushEveryMilliseconds = 150;
const lookEveryMilliseconds = 100;

export interface TrainingStart {
  readonly step: number;
  /** Seconds of work of earlier processes. */
  readonly seconds: number;
  readonly segment: string;
}

/** Asked for from outside the run directory: Ctrl-C, a signal. */
export interface Interruption {
  /** Null as long as nobody asked. */
  reason: string | null;
}

/** How a training that did not fail came to its end. */
export interface Ending {
  readonly state: 'finished' | 'stopped' | 'interrupted';
  readonly reason: string | null;
}

/** Trains a prepared experiment to its end, or to the user's, and writes everything that happens to the run directory. */
export class TrainingLoop {
  private step: number;
  private latest: Metrics = {};
  private flushedAt = performance.now();
  private lookedAt = -Infinity;
  private hasBegun = false;
  private readonly clock: WorkClock;
  private readonly chunk = new ChunkLength();
  private readonly metrics: MetricsWriter;
  private readonly watch: NonFiniteWatch;
  private readonly checkpoints: CheckpointKeeper;

  constructor(
    private readonly training: Training,
    private readonly journal: RunJournal,
    config: Pick<ExperimentConfig, 'checkpoint'>,
    start: TrainingStart,
    private readonly interruption: Interruption,
  ) {
    this.step = start.step;
    this.clock = new WorkClock(start.seconds);
    this.watch = new NonFiniteWatch(training.metricNames);
    this.checkpoints = new CheckpointKeeper(training, journal, config.checkpoint, start.step);
    this.metrics = new MetricsWriter(
      join(journal.run, start.segment),
      training.metricNames,
      training.evaluationMetricNames,
      { run: journal.record.id, firstStep: start.step + 1 },
    );
  }

  /** @throws TrainingFailure, or the error of a failed write; what was written before stays. */
  async run(): Promise<Ending> {
    try {
      const ending = await this.train();
      this.metrics.close();
      return await this.end(ending);
    } catch (error) {
      this.metrics.abandon();
      throw error;
    }
  }

  private async train(): Promise<Ending> {
    while (this.step < this.training.iterations) {
      const ending = await this.answerRequests();
      if (ending !== null) return ending;
      // The first step compiles what was recorded, which may take longer than all the preparation before.
      if (!this.hasBegun) this.journal.tell({ kind: 'preparing', stage: 'compiling and taking the first step' });
      await this.advance();
      if (!this.hasBegun) this.journal.setState('running');
      this.hasBegun = true;
      if (this.checkpoints.isDue) this.checkpoint();
    }
    return { state: 'finished', reason: null };
  }

  /** Trains one chunk, which ends where an evaluation is due at the latest. */
  private async advance(): Promise<void> {
    const { evaluateEvery, iterations, metricNames } = this.training;
    const untilEvaluation = evaluateEvery - (this.step % evaluateEvery);
    const count = this.chunk.next(Math.min(untilEvaluation, iterations - this.step));
    const began = { at: performance.now(), epoch: Date.now() / 1000 };
    const values = await this.training.advance(count);
    const milliseconds = performance.now() - began.at;
    this.chunk.observe(count, milliseconds);

    let evaluation: Metrics | null = null;
    for (let row = 0; row < count; row += 1) {
      const ofRow = values.subarray(row * metricNames.length, (row + 1) * metricNames.length);
      const time = began.epoch + (((row + 1) / count) * milliseconds) / 1000;
      this.step += 1;
      const isEvaluated = this.step % evaluateEvery === 0 || this.step === iterations;
      if (isEvaluated) this.metrics.flush();
      if (isEvaluated) evaluation = await this.evaluate();
      this.metrics.add(this.step, time, ofRow, evaluation);
      this.checkFinite(ofRow);
    }
    this.noteLatest(values.subarray(-metricNames.length), evaluation);
    this.flushIfDue();
    this.report();
  }

  private async evaluate(): Promise<Metrics> {
    const { metrics, samples } = await this.training.evaluate();
    if (samples) writeSamples(this.journal.run, this.step, samples);
    this.checkpoints.consider(this.step, metrics);
    return metrics;
  }

  private noteLatest(values: Float32Array, evaluation: Metrics | null): void {
    const latest: Record<string, number> = { ...this.latest, ...evaluation };
    this.training.metricNames.forEach((name, index) => (latest[name] = values[index]!));
    this.latest = latest;
  }

  private checkFinite(values: Float32Array): void {
    try {
      this.watch.check(this.step, values, (message, metric) => {
        this.journal.warn(this.step, message, metric);
      });
    } catch (error) {
      // The rows that show how it came about are what the user needs now.
      this.metrics.flush();
      throw error;
    }
  }

  private flushIfDue(): void {
    if (performance.now() - this.flushedAt < flushEveryMilliseconds) return;
    this.metrics.flush();
    this.flushedAt = performance.now();
  }

  private report(): void {
    const headline = this.training.headline.map(({ metric }) => metric).filter((metric) => metric in this.latest);
    const latest = jsonMetricsOf(Object.fromEntries(headline.map((metric) => [metric, this.latest[metric]!])));
    this.journal.progress(this.step, this.clock.seconds, latest);
  }

  private checkpoint(): void {
    // Broken weights must not push good ones out of the folder.
    if (this.watch.objectiveIsBroken) return;
    this.metrics.flush();
    this.checkpoints.write(this.step, this.clock.seconds);
  }

  /** Between two chunks: signals, messages and the `control/` folder. Returns how the training is to end, if it is. */
  private async answerRequests(): Promise<Ending | null> {
    // Lets signal handlers and messages in; training itself never gives the event loop a turn.
    await turn();
    if (this.interruption.reason !== null) return { state: 'interrupted', reason: this.interruption.reason };
    if (performance.now() - this.lookedAt < lookEveryMilliseconds) return null;
    this.lookedAt = performance.now();
    const requests = waitingRequests(this.journal.run);
    if (requests.has('stop')) return { state: 'stopped', reason: 'Stopped on request.' };
    if (requests.has('checkpoint')) this.checkpointOnRequest();
    if (requests.has('pause')) return this.pause();
    if (requests.has('resume')) removeRequest(this.journal.run, 'resume');
    return null;
  }

  private checkpointOnRequest(): void {
    this.checkpoint();
    removeRequest(this.journal.run, 'checkpoint');
  }

  private async pause(): Promise<Ending | null> {
    const { run } = this.journal;
    this.checkpoint();
    this.clock.pause();
    this.journal.setState('paused');
    try {
      for (;;) {
        if (this.interruption.reason !== null) return { state: 'interrupted', reason: this.interruption.reason };
        const requests = waitingRequests(run);
        if (requests.has('stop')) return { state: 'stopped', reason: 'Stopped on request.' };
        if (requests.has('checkpoint')) this.checkpointOnRequest();
        if (requests.has('resume') || !requests.has('pause')) break;
        await delay(lookEveryMilliseconds);
      }
    } finally {
      removeRequest(run, 'pause');
      removeRequest(run, 'resume');
      this.clock.resume();
    }
    this.journal.setState(this.hasBegun ? 'running' : 'preparing');
    return null;
  }

  private async end(ending: Ending): Promise<Ending> {
    if (ending.state !== 'finished') this.journal.setState('stopping', ending.reason);
    if (!this.watch.objectiveIsBroken) this.checkpoints.write(this.step, this.clock.seconds);
    if (ending.state !== 'interrupted') {
      const readOut = await this.training.readOut();
      this.journal.update({ step: this.step, seconds: this.clock.seconds });
      writeSummary(this.journal.run, summaryOf(this.journal.run, this.journal.record, readOut));
    }
    this.report();
    removeRequest(this.journal.run, 'stop');
    this.journal.setState(ending.state, ending.reason);
    return ending;
  }
}

/** Requests meant for a process that is gone. */
export function removeOldRequests(run: string): void {
  for (const request of waitingRequests(run)) removeRequest(run, request);
}
