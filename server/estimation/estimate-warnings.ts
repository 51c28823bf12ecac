import type { NumericArray } from '../datasets/arrays/numeric-array';
import type { CanonicalCorrelationEstimate } from './canonical-correlation';
import type { CrossFittedRun } from './cross-fitted-estimate';
import type { CombinedReadOut } from './held-out-folds';
import type { NearestNeighbourEstimate } from './nearest-neighbour';
import type { Columns } from './standardisation';

interface Sides {
  readonly x: Columns;
  readonly y: Columns;
}

/** Below this share of different values a column counts as tied: rounded, discrete, or with a large atom. */
const tiedShare = 0.5;
/** Correlation of neighbouring rows that chance does not explain in any sample allowed here. */
const neighbourCorrelation = 0.4;
const repeatedShare = 0.02;
/** Dimension up to which the nearest-neighbour estimate is worth a comparison. */
const nearestNeighbourDimension = 4;

/** What is to be said about the data before anything is estimated. @param scores their columns as the networks see them. */
export function dataWarnings(
  names: { readonly x: string; readonly y: string },
  x: NumericArray,
  y: NumericArray,
  scores: Sides,
): string[] {
  const warnings: string[] = [];
  for (const [name, array, { columns, kept }] of [
    [names.x, x, scores.x],
    [names.y, y, scores.y],
  ] as const) {
    if (columns === 0) {
      warnings.push(`${name} never changes, so it shares no information: the estimate is 0 by definition.`);
    } else if (columns < array.columns) {
      const constant = array.columnNames.filter((_, column) => !kept.includes(column));
      const named = constant.length > 5 ? `${constant.slice(0, 5).join(', ')}, ...` : constant.join(', ');
      const count = constant.length === 1 ? 'One column' : `${constant.length} columns`;
      warnings.push(
        `${count} of ${name} never change${constant.length === 1 ? 's' : ''} and ${constant.length === 1 ? 'was' : 'were'} left out: ${named}.`,
      );
    }
  }
  if (scores.x.columns === 0 || scores.y.columns === 0) return warnings;
  if (shareOfRepeatedRows(x, y) > repeatedShare && !isTied(scores.x, x.rows) && !isTied(scores.y, y.rows)) {
    warnings.push(
      `${Math.round(100 * shareOfRepeatedRows(x, y))} % of the rows repeat an earlier row exactly, so that held-out pairs were trained on as well and the estimate is too high: remove the repetitions.`,
    );
  }
  if (
    Math.min(largestNeighbourCorrelation(scores.x, x.rows), largestNeighbourCorrelation(scores.y, y.rows)) >
    neighbourCorrelation
  ) {
    warnings.push(
      'Neighbouring rows resemble each other in X and in Y: if this is a time series, the rows are not independent, the interval is too narrow and the estimate may show a common trend.',
    );
  }
  return warnings;
}

export interface Reading {
  readonly reading: CombinedReadOut;
  readonly run: CrossFittedRun;
  readonly nearest: NearestNeighbourEstimate | null;
  readonly canonical: CanonicalCorrelationEstimate | null;
  readonly rows: number;
  readonly scores: Sides;
}

/** What is to be said about an estimate. All values in nats; sentences name no values, since the unit is shown elsewhere. */
export function readingWarnings({ reading, run, nearest, canonical, rows, scores }: Reading): string[] {
  const { estimate, interval } = reading;
  const tied = isTied(scores.x, rows) || isTied(scores.y, rows);
  const comparable = nearest !== null && !tied && scores.x.columns + scores.y.columns <= nearestNeighbourDimension;
  const gaussian = canonical?.estimate ?? 0;
  const warnings: string[] = [];
  const say = (condition: boolean, sentence: string) => {
    if (condition) warnings.push(sentence);
  };
  say(
    estimate < 0,
    interval[1] < 0
      ? 'The held-out bound fell below zero although mutual information cannot: the networks over-fit. Read it as no evidence of dependence.'
      : 'The estimate is below zero by chance; mutual information is not: read it as no evidence of dependence.',
  );
  say(
    gaussian === Infinity,
    'A combination of the columns of X equals one of Y, so that the mutual information is infinite: the estimate only says what the networks can resolve.',
  );
  const carriers = Math.min(...run.folds.map((fold) => fold.effectivePairs));
  say(
    carriers < 50,
    `The partition rests on about ${Math.max(1, Math.round(carriers))} of ${run.folds[0]!.marginalPairs} pairs: the true value is large for ${rows} rows, and both estimate and interval are rough.`,
  );
  say(
    estimate > 0.8 * Math.log(rows),
    `The estimate is near what ${rows} rows can show at all (ln N = ${Math.log(rows).toFixed(1)} nats): the true value may be much larger, even infinite.`,
  );
  say(!run.stoppedEarly, 'Training ended at its limit while the networks still improved: the estimate may be low.');
  say(
    gaussian !== Infinity && gaussian > interval[1] + 0.1 * Math.abs(estimate) + 0.02,
    'The Gaussian estimate lies above the interval: the networks may have missed dependence, or outliers dominate the correlations.',
  );
  say(
    comparable && nearest.estimate > interval[1] + 0.1 * Math.abs(estimate) + 0.02,
    'The nearest-neighbour estimate lies above the interval: the networks may have missed dependence.',
  );
  say(
    tied && nearest !== null,
    'Many values are tied (rounded or discrete data): the nearest-neighbour estimate beside it is not reliable.',
  );
  return warnings;
}

function isTied({ values, columns }: Columns, rows: number): boolean {
  for (let column = 0; column < columns; column++) {
    const different = new Set<number>();
    for (let row = 0; row < rows; row++) different.add(values[row * columns + column]!);
    if (different.size < tiedShare * rows) return true;
  }
  return false;
}

function shareOfRepeatedRows(x: NumericArray, y: NumericArray): number {
  const seen = new Set<string>();
  for (let row = 0; row < x.rows; row++) {
    const own = [x, y].map(({ values, columns }) => values.subarray(row * columns, (row + 1) * columns).join());
    seen.add(own.join(';'));
  }
  return 1 - seen.size / x.rows;
}

function largestNeighbourCorrelation({ values, columns }: Columns, rows: number): number {
  let largest = 0;
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 1; row < rows; row++) {
      sum += values[row * columns + column]! * values[(row - 1) * columns + column]!;
    }
    largest = Math.max(largest, Math.abs(sum / rows));
  }
  return largest;
}
