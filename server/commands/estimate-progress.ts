import type { EstimateReport, EstimatorMessage } from '../protocol/estimate-report';
import { countText, metricText } from './text-format';

type Shown = Extract<EstimatorMessage, { kind: 'stage' | 'progress' }>;

/** One line on standard error that is written over; nothing where standard error is no terminal. */
export class EstimateProgress {
  private readonly terminal = process.stderr.isTTY;
  private stage = '';

  constructor(private readonly unit: EstimateReport['unit']) {}

  show(message: Shown): void {
    if (message.kind === 'stage') this.stage = message.stage;
    if (!this.terminal) return;
    this.write(message.kind === 'stage' ? `${this.stage} ...` : this.progressText(message));
  }

  end(): void {
    if (this.terminal) this.write('');
  }

  private progressText({ steps, limit, validation }: Extract<Shown, { kind: 'progress' }>): string {
    const perUnit = this.unit === 'bits' ? Math.LN2 : 1;
    const value = typeof validation === 'number' ? validation / perUnit : validation;
    return `training: step ${countText(steps)}, at most ${countText(limit)}; validation ${metricText(value, 3)} ${this.unit}`;
  }

  private write(text: string): void {
    process.stderr.write(`\r\x1b[2K${text}`);
  }
}
