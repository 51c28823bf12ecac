import type { Contestant } from './contestants';
import type { StepTimes } from './rounds';
import { median } from './spread';

/** One step's result. Besides these fields, one number per contestant: its median in milliseconds per step, or null. */
export type ResultRow = Record<string, unknown> & {
  readonly step: string;
  readonly title: string;
  /** Median over rounds of ours / the fastest peer of the same round's list; below 1 ours is faster. Null without peers. */
  readonly ratioToBest: number | null;
  readonly best: string | null;
  /** Median over rounds of ours / that contestant, by key. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Lowest and highest round, by key. */
  readonly spread: Readonly<Record<string, readonly [number, number]>>;
  /** Median processor time per step in milliseconds, all threads added, by key: what a busy machine changes least. */
  readonly processor: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<string, string>>;
};

/**
 * Medians, spreads and ratios. A ratio is taken within each round, where both had the same machine, and then its median:
 * a machine that slows down for some rounds does not move it.
 */
export function resultRow(
  step: string,
  title: string,
  contestants: readonly Contestant[],
  { times, processorTimes, failures }: StepTimes,
): ResultRow {
  const measured = contestants.filter(({ key }) => times.has(key));
  const medians = Object.fromEntries(
    contestants.map(({ key }) => [key, times.has(key) ? median(times.get(key)!) : null]),
  );
  const ours = times.get('ours');
  const ratios: Record<string, number> = {};
  if (ours !== undefined)
    for (const { key } of measured)
      if (key !== 'ours') ratios[key] = median(times.get(key)!.map((theirs, round) => ours[round]! / theirs));
  const peers = measured.filter(({ peer, key }) => peer && key in ratios);
  // The fastest peer is the one to which our ratio is largest.
  const best = peers.map(({ key }) => key).sort((a, b) => ratios[b]! - ratios[a]!)[0] ?? null;
  return {
    step,
    title,
    ...medians,
    ratioToBest: best === null ? null : ratios[best]!,
    best,
    ratios,
    spread: Object.fromEntries(
      measured.map(({ key }) => [key, [Math.min(...times.get(key)!), Math.max(...times.get(key)!)] as const]),
    ),
    processor: Object.fromEntries(measured.map(({ key }) => [key, median(processorTimes.get(key)!)])),
    failures: Object.fromEntries(failures),
  };
}

/** A step's result as a Markdown table, followed by who could not take part. */
export function resultTable(row: ResultRow, contestants: readonly Contestant[]): string {
  const lines = contestants.flatMap(({ key, title }) => {
    const time = row[key];
    const spread = row.spread[key];
    if (typeof time !== 'number' || spread === undefined) return [];
    const ratio = key === 'ours' ? '' : (row.ratios[key]?.toFixed(2) ?? '');
    const name = key === row.best ? `${title} (best peer)` : title;
    const range = `${figure(spread[0])} - ${figure(spread[1])}`;
    return [`| ${name} | ${figure(time)} | ${range} | ${ratio} | ${figure(row.processor[key]!)} |`];
  });
  const failures = contestants.flatMap(({ key, title }) => {
    const reason = row.failures[key];
    return reason === undefined ? [] : [`${title}: not measured (${reason.split('\n')[0]!})`];
  });
  return [
    `### ${row.step}: ${row.title}`,
    '',
    '| | median ms/step | lowest - highest round | ours / it | processor ms/step |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
    ...(failures.length > 0 ? ['', ...failures] : []),
    '',
  ].join('\n');
}

function figure(milliseconds: number): string {
  return milliseconds >= 100 ? milliseconds.toFixed(0) : milliseconds.toPrecision(3);
}
