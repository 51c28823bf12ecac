const HELD_OUT_SHARE = 0.2;

/** How many of `count` rows of a fixed set train; the rest is held out. */
export function trainingRows(count: number): number {
  return count - Math.round(count * HELD_OUT_SHARE);
}
