import { MultiBar } from 'cli-progress';
import type { RunEvent } from '../protocol/run-event';
import type { TrainerMessage } from '../protocol/trainer-message';
import { colours } from './colours';
import { type Progress, progressLine, progressText, RateMeter } from './progress-line';
import { countText, cut } from './text-format';

const logEveryMilliseconds = 5000;
const compiledText = { xla: ', compiled (XLA)', graph: ', compiled', eager: '' } as const;

/** Shows a run on the terminal while it trains; everything goes to standard error. */
export class ProgressDisplay {
  private readonly terminal: boolean;
  private readonly bars: MultiBar | null;
  private status = 'starting';
  private statusSince = performance.now();
  private progress: Progress | null = null;
  private loggedAt = performance.now();
  private readonly rate = new RateMeter();

  constructor(
    private readonly run: { readonly id: string; readonly name: string },
    private readonly stream: NodeJS.WriteStream = process.stderr,
  ) {
    this.terminal = stream.isTTY;
    this.bars = this.terminal
      ? new MultiBar({
          stream,
          fps: 10,
          hideCursor: true,
          clearOnComplete: true,
          // The run decides what Ctrl-C means.
          gracefulExit: false,
          forceRedraw: true,
          format: () => this.line(),
        })
      : null;
    this.bars?.create(1, 0);
  }

  show(message: TrainerMessage): void {
    switch (message.kind) {
      case 'preparing':
        this.setStatus(message.stage);
        return;
      case 'prepared': {
        const { step, iterations, headline, device } = message;
        const from = step > 0 ? ` · from step ${countText(step)}` : '';
        this.note(
          colours.bold(` ${this.run.name}`) +
            ` · ${device.description}${compiledText[device.compiled]} · run ${this.run.id}${from}`,
        );
        this.progress = { step, iterations, headline, latest: {}, stepsPerSecond: null };
        return;
      }
      case 'progress':
        this.rate.observe(message.step, performance.now() / 1000);
        if (this.progress) {
          const { step, latest } = message;
          this.progress = { ...this.progress, step, latest, stepsPerSecond: this.rate.stepsPerSecond };
        }
        this.logIfDue();
        return;
      case 'event':
        this.showEvent(message.event);
        return;
      case 'refused':
      case 'ended':
        return;
    }
  }

  /** A line that stays, above the bar. */
  note(line: string): void {
    if (this.bars) this.bars.log(`${line}\n`);
    else this.stream.write(`${line}\n`);
  }

  close(): void {
    // Writes what was noted last, then takes the bar away.
    this.bars?.update();
    this.bars?.stop();
  }

  private showEvent(event: RunEvent): void {
    if (event.kind === 'warning') {
      this.note(colours.yellow(` ⚠ step ${countText(event.step)}: ${event.message}`));
    } else if (event.kind === 'state' && (event.state === 'paused' || event.state === 'running')) {
      if (event.state === 'paused')
        this.note(` ‖ paused at step ${countText(event.step)}: \`mine resume ${this.run.id}\``);
      this.rate.restart();
      this.setStatus(event.state);
    } else if (event.kind === 'state' && event.state === 'stopping') {
      this.setStatus('stopping');
    }
  }

  private setStatus(status: string): void {
    if (status === this.status) return;
    this.status = status;
    this.statusSince = performance.now();
    if (!this.terminal && status !== 'running') this.stream.write(` ${status}\n`);
  }

  private line(): string {
    const width = this.stream.columns;
    if (this.progress && this.status === 'running') return progressLine(this.progress, width);
    const seconds = Math.floor((performance.now() - this.statusSince) / 1000);
    const waiting = seconds > 0 ? ` ${seconds} s` : '';
    const at = this.progress ? `   ${progressText({ ...this.progress, stepsPerSecond: null })}` : '';
    return cut(` ${this.status}${waiting}${at}`, width);
  }

  private logIfDue(): void {
    if (this.terminal || this.progress === null || performance.now() - this.loggedAt < logEveryMilliseconds) return;
    this.loggedAt = performance.now();
    this.stream.write(` ${progressText(this.progress)}\n`);
  }
}
