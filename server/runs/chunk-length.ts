const targetMilliseconds = 75;
const longestChunk = 1 << 16;

/**
 * How many iterations to train in one go, so that the trainer looks up about every 75 ms: often enough for Ctrl-C and the
 * display, seldom enough not to cost time. Iterations slower than that go one by one.
 */
export class ChunkLength {
  private length = 1;

  /** @param limit iterations up to the next point at which something else is due; at least 1. */
  next(limit: number): number {
    return Math.min(this.length, limit);
  }

  observe(count: number, milliseconds: number): void {
    const fitting = Math.floor((count * targetMilliseconds) / Math.max(milliseconds, 0.001));
    // At most doubled: a first short measurement says little, and a chunk that is too long cannot be interrupted.
    this.length = Math.min(Math.max(fitting, 1), this.length * 2, longestChunk);
  }
}
