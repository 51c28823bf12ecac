import type { HeadlineMetric } from '../protocol/run-record';
import type { JsonMetrics } from '../protocol/json-number';
import { headlineText } from './reading-text';
import { countText, cut, durationText, rateText } from './text-format';

/** What a progress line shows. */
export interface Progress {
  readonly step: number;
  readonly iterations: number;
  /** Null before it can be told. */
  readonly stepsPerSecond: number | null;
  readonly headline: readonly HeadlineMetric[];
  readonly latest: JsonMetrics;
}

const barWidth = 30;

/** ` ━━━━━╸────  2,340/5,000  105/s  0:25   I 2.31  ratio 3.1`, cut to the terminal's width. */
export function progressLine(progress: Progress, width: number): string {
  return cut(` ${bar(progress.step / progress.iterations)}  ${progressText(progress)}`, width);
}

/** The same without the bar, for a log: `2,340/5,000  105/s  0:25   I 2.31  ratio 3.1`. */
export function progressText({ step, iterations, stepsPerSecond, headline, latest }: Progress): string {
  const count = `${countText(step)}/${countText(iterations)}`;
  const speed =
    stepsPerSecond === null
      ? ''
      : `  ${rateText(stepsPerSecond)}  ${durationText((iterations - step) / stepsPerSecond)}`;
  const metrics = headlineText({ headline: [...headline], latest });
  return `${count}${speed}${metrics === '' ? '' : `   ${metrics}`}`;
}

function bar(share: number): string {
  const halves = Math.round(Math.min(Math.max(share, 0), 1) * barWidth * 2);
  const filled = '━'.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? '╸' : '');
  return filled + '─'.repeat(barWidth - filled.length);
}

/** Steps per second over the last seconds, so that a slow start or a pause does not weigh on it for ever. */
export class RateMeter {
  private readonly seen: { step: number; seconds: number }[] = [];

  /** @param seconds on any clock that only goes forward. */
  observe(step: number, seconds: number): void {
    this.seen.push({ step, seconds });
    while (this.seen.length > 2 && seconds - this.seen[0]!.seconds > 10) this.seen.shift();
  }

  get stepsPerSecond(): number | null {
    const first = this.seen[0];
    const last = this.seen.at(-1);
    if (first === undefined || last === undefined || last.seconds - first.seconds < 0.5) return null;
    return last.step > first.step ? (last.step - first.step) / (last.seconds - first.seconds) : null;
  }

  /** After a pause. */
  restart(): void {
    this.seen.length = 0;
  }
}
