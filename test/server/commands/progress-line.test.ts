import { describe, expect, it } from 'vitest';
import { progressLine, RateMeter } from '../../../server/commands/progress-line';

const progress = {
  step: 2340,
  iterations: 5000,
  stepsPerSecond: 105,
  headline: [
    { metric: 'mutualInformation.heldOut', label: 'I', digits: 2 },
    { metric: 'ratio', label: 'ratio', digits: 1 },
    { metric: 'modesCaptured', label: 'modes', digits: 0 },
  ],
  latest: { 'mutualInformation.heldOut': 2.314, ratio: 'Infinity' as const },
};

describe('the progress line', () => {
  it('shows bar, step, speed, time left and the metrics that are there', () => {
    expect(progressLine(progress, 120)).toBe(
      ' ━━━━━━━━━━━━━━────────────────  2,340/5,000  105/s  0:25   I 2.31  ratio ∞',
    );
    expect(progressLine({ ...progress, step: 0, stepsPerSecond: null, latest: {} }, 120)).toBe(
      ' ──────────────────────────────  0/5,000',
    );
    expect(progressLine({ ...progress, step: 4900, stepsPerSecond: 0.02 }, 60)).toMatch(
      /━╸ {2}4,900\/5,000 {2}50\.0 s\/step {2}…$/,
    );
  });

  it('never is wider than the terminal', () => {
    for (let width = 1; width < 90; width += 1)
      expect(Array.from(progressLine(progress, width)).length).toBeLessThanOrEqual(width);
  });
});

describe('the speed', () => {
  it('is that of the last ten seconds, and starts anew after a pause', () => {
    const rate = new RateMeter();
    rate.observe(1, 0);
    expect(rate.stepsPerSecond).toBeNull();
    for (let second = 1; second <= 30; second += 1) rate.observe(second < 15 ? second : second * 10, second);
    expect(rate.stepsPerSecond).toBeCloseTo(10, 5);
    rate.restart();
    expect(rate.stepsPerSecond).toBeNull();
  });
});
