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
const copiedShare = 0.02;
/** Fewer different rows than this come from discrete data rather than from copying. */
const fewDifferentRows = 50;
/** Growth of the nearest-neighbour estimate per ln N above which no finite value is in sight; 1 for Y = f(X) in one dimension. */
const functionalGrowth = 0.4;
const fewCarriers = 50;

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
  const copied = shareOfCopiedRows(x, y);
  if (copied > copiedShare) {
    warnings.push(
      `${Math.round(100 * copied)} % of the rows repeat an earlier row of X and Y exactly. If they are copies, held-out pairs were trained on as well and the estimate is too high: remove them.`,
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
  /** The nearest-neighbour estimate from an eighth of the rows; null where it is not worth a comparison. */
  readonly nearestOfEighth: NearestNeighbourEstimate | null;
  /** Of the normal scores: outliers have no weight there. */
  readonly canonical: CanonicalCorrelationEstimate | null;
  readonly rows: number;
  readonly scores: Sides;
}

/** What is to be said about an estimate. All values in nats. */
export function readingWarnings({
  reading,
  run,
  nearest,
  nearestOfEighth,
  canonical,
  rows,
  scores,
}: Reading): string[] {
  const { estimate, interval } = reading;
  const tied = hasTies(scores, rows);
  const notable = interval[1] + 0.1 * Math.abs(estimate) + 0.02;
  const gaussian = canonical?.estimate ?? 0;
  const nothingFound = run.folds.every((fold) => fold.estimate === 0);
  const carriers = Math.min(...run.folds.map((fold) => fold.effectivePairs));
  const growth = nearest && nearestOfEighth ? (nearest.estimate - nearestOfEighth.estimate) / Math.log(8) : 0;
  const warnings: readonly (readonly [boolean, string])[] = [
    [
      nothingFound,
      'No network found dependence that holds on other rows. That is no proof of independence: weak dependence, or dependence of many columns, needs more rows to be seen.',
    ],
    [
      estimate < 0 && interval[1] >= 0,
      'The estimate is below zero by chance; mutual information is not: read it as no evidence of dependence.',
    ],
    [
      interval[1] < 0,
      'The held-out bound fell below zero although mutual information cannot: the networks over-fit. Read it as no evidence of dependence.',
    ],
    [
      gaussian === Infinity && !tied,
      'A combination of the columns of X equals one of Y, so that the mutual information is infinite: the estimate only says what the networks can resolve.',
    ],
    [
      growth > functionalGrowth && gaussian !== Infinity,
      'The nearest-neighbour estimate grows with the number of rows, as it does where one side is a function of the other and the mutual information is infinite: the estimate may only say what the networks can resolve.',
    ],
    [
      carriers < fewCarriers,
      `The partition rests on about ${Math.max(1, Math.round(carriers))} of ${run.folds[0]!.marginalPairs} pairs: the true value is large for ${rows} rows, and both estimate and interval are rough.`,
    ],
    [
      estimate > 0.8 * Math.log(rows),
      `The estimate is near what ${rows} rows can show (ln N = ${Math.log(rows).toFixed(1)} nats): the true value may be much larger, even infinite.`,
    ],
    [!run.stoppedEarly, 'Training ended at its limit while the networks still improved: the estimate may be low.'],
    [
      Number.isFinite(gaussian) && gaussian > notable,
      'The Gaussian estimate of the ranks lies above the interval: there are too few rows for so many columns, or the networks missed dependence.',
    ],
    [
      nearestOfEighth !== null && growth <= functionalGrowth && nearest!.estimate > notable,
      'The nearest-neighbour estimate lies above the interval: the networks may have missed dependence.',
    ],
    [
      tied && nearest !== null,
      'Many values are tied (rounded or discrete data): the nearest-neighbour estimate beside it is not reliable.',
    ],
  ];
  return warnings.filter(([applies]) => applies).map(([, sentence]) => sentence);
}

/** Whether some column has many equal values: rounded, discrete, or with an atom. */
export function hasTies({ x, y }: Sides, rows: number): boolean {
  return isTied(x, rows) || isTied(y, rows);
}

function isTied({ values, columns }: Columns, rows: number): boolean {
  for (let column = 0; column < columns; column++) {
    const different = new Set<number>();
    for (let row = 0; row < rows; row++) different.add(values[row * columns + column]!);
    if (different.size < tiedShare * rows) return true;
  }
  return false;
}

/**
 * Share of the rows that are copies of earlier ones: x repeats only where y does. Values of discrete data repeat by chance,
 * in x and y separately.
 */
function shareOfCopiedRows(x: NumericArray, y: NumericArray): number {
  const [inX, inY, inBoth] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (let row = 0; row < x.rows; row++) {
    const own = x.values.subarray(row * x.columns, (row + 1) * x.columns).join();
    const other = y.values.subarray(row * y.columns, (row + 1) * y.columns).join();
    inX.add(own);
    inY.add(other);
    inBoth.add(`${own};${other}`);
  }
  const byChance = inBoth.size < fewDifferentRows || inBoth.size > 1.05 * Math.min(inX.size, inY.size);
  return byChance ? 0 : 1 - inBoth.size / x.rows;
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
