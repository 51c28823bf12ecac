import { clearLine, cursorTo } from 'node:readline';
import type { WriteStream } from 'node:tty';
import type { EngineProgress } from '../tensorflow/engine/engine-contents';

/**
 * Shows an installation's stages: on a terminal one line that is rewritten, with bytes and speed; elsewhere one line a
 * stage.
 */
export class EngineProgressLine {
  private stage = '';
  private stageStart = { time: 0, bytes: 0 };
  private lineOpen = false;

  constructor(private readonly stream: WriteStream | NodeJS.WriteStream = process.stderr) {}

  show({ stage, bytesDone, bytesTotal }: EngineProgress): void {
    const now = performance.now();
    const isNewStage = stage !== this.stage;
    if (isNewStage) {
      if (this.lineOpen) this.end();
      this.stage = stage;
      this.stageStart = { time: now, bytes: bytesDone ?? 0 };
    }
    if (!this.stream.isTTY) {
      if (isNewStage) this.stream.write(`${stage}${bytesTotal ? ` (${megabytes(bytesTotal)} MB)` : ''}\n`);
      return;
    }
    let line = stage;
    if (bytesDone !== undefined && bytesTotal !== undefined) {
      line += `  ${megabytes(bytesDone)} of ${megabytes(bytesTotal)} MB`;
      const seconds = (now - this.stageStart.time) / 1000;
      if (seconds > 0.5) line += `  ${megabytes((bytesDone - this.stageStart.bytes) / seconds)} MB/s`;
    }
    cursorTo(this.stream, 0);
    this.stream.write(line.slice(0, Math.max(20, this.stream.columns - 1)));
    clearLine(this.stream, 1);
    this.lineOpen = true;
  }

  /** Closes the line, so that what is written next starts on its own. */
  end(): void {
    if (this.lineOpen) this.stream.write('\n');
    this.lineOpen = false;
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
