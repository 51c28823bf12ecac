import type { RunRecord } from '../protocol/run-record';
import type { RunSummary } from '../protocol/run-summary';
import { metricText } from './text-format';

const digits = 3;

/** "2.831 [2.770, 2.892] nats, truth 2.877". */
export function estimateText({ estimate, interval, unit, truth }: RunSummary): string {
  const [low, high] = interval;
  const known = truth === null ? '' : `, truth ${metricText(truth, digits)}`;
  return `${metricText(estimate, digits)} [${metricText(low, digits)}, ${metricText(high, digits)}] ${unit}${known}`;
}

/** "2.831 ± 0.061 of 2.877 nats", for lists: half the width of the interval, and the truth where it is known. */
export function shortEstimateText({ estimate, interval, unit, truth }: RunSummary): string {
  const [low, high] = interval.map(Number) as [number, number];
  const known = truth === null ? '' : ` of ${metricText(truth, digits)}`;
  return `${metricText(estimate, digits)} ± ${((high - low) / 2).toFixed(digits)}${known} ${unit}`;
}

/** The newest headline metrics: "I 2.31  ratio 3.1  modes 22". */
export function headlineText({ headline, latest }: Pick<RunRecord, 'headline' | 'latest'>): string {
  return headline
    .flatMap(({ metric, label, digits: places }) => {
      const value = latest[metric];
      return value === undefined ? [] : [`${label} ${metricText(value, places)}`];
    })
    .join('  ');
}
