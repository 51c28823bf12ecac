import type { JsonNumber } from '../protocol/json-number';

/** `2340` as "2,340". */
export function countText(count: number): string {
  return count.toLocaleString('en-US');
}

/** A metric with a fixed number of digits; NaN and infinities stay words. */
export function metricText(value: JsonNumber, digits: number): string {
  return typeof value === 'number' ? value.toFixed(digits) : value.replace('Infinity', '∞');
}

/** "0:25", "12:07", "3:04:05". */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number) => String(part).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** "105/s", or "2.3 s/step" where a step takes longer than a second. */
export function rateText(stepsPerSecond: number): string {
  if (stepsPerSecond >= 10) return `${countText(Math.round(stepsPerSecond))}/s`;
  if (stepsPerSecond >= 1) return `${stepsPerSecond.toFixed(1)}/s`;
  return `${(1 / stepsPerSecond).toFixed(1)} s/step`;
}

/** "just now", "4 min ago", "3 h ago", "2 days ago". */
export function ageText(since: Date, now: Date): string {
  const seconds = (now.getTime() - since.getTime()) / 1000;
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86_400);
  return `${days} day${days === 1 ? '' : 's'} ago`;
}

/** Cut to `width` characters, the last one then being "…". */
export function cut(text: string, width: number): string {
  const characters = Array.from(text);
  if (characters.length <= width) return text;
  return width < 1 ? '' : `${characters.slice(0, width - 1).join('')}…`;
}

/** Filled up with blanks to `width` characters. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - Array.from(text).length));
}
