/** Seconds of work on a run: goes on where an earlier process stopped, and stands still during a pause. */
export class WorkClock {
  private runningSince: number | null = performance.now();

  constructor(private elapsed: number) {}

  get seconds(): number {
    return this.elapsed + (this.runningSince === null ? 0 : (performance.now() - this.runningSince) / 1000);
  }

  pause(): void {
    this.elapsed = this.seconds;
    this.runningSince = null;
  }

  resume(): void {
    this.runningSince ??= performance.now();
  }
}
