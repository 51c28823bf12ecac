import { Refusal } from '../config/refusal';
import type { NumericArray } from '../datasets/arrays/numeric-array';
import { readArrayPair } from '../datasets/arrays/read-array';
import { jsonNumberOf } from '../protocol/json-number';
import type { EstimateReport, EstimateRequest } from '../protocol/estimate-report';
import type { ProgramMode } from '../tensorflow/program';
import { canonicalCorrelationEstimate, type CanonicalCorrelationEstimate } from './canonical-correlation';
import { crossFittedRun, type CrossFittedRun, crossFittingOptions } from './cross-fitted-estimate';
import { minimumRowsPerFold } from './cross-fitting-folds';
import { dataWarnings, hasTies, readingWarnings } from './estimate-warnings';
import { combinedReadOut, type CombinedReadOut } from './held-out-folds';
import { nearestNeighbourEstimate, type NearestNeighbourEstimate } from './nearest-neighbour';
import { type Columns, normalScores } from './standardisation';

/** Columns per side above which nearest neighbours say nothing about mutual information, slowly. */
const nearestNeighbourColumns = 64;

/** Joint dimension up to which nearest neighbours are worth a comparison. */
const trustedDimension = 4;

export interface EstimateContext {
  readonly mode: ProgramMode;
  /** As the report names it. */
  readonly device: string;
  /** Why the device is a slow one, if it is. */
  readonly notice: string | null;
  readonly onStage?: (stage: string) => void;
  readonly onProgress?: (steps: number, limit: number, validation: number) => void;
}

/**
 * The mutual information of two arrays whose rows belong together: statistics networks trained on a part of the rows and
 * read on the rest, in turn (cross-fitting), with the nearest-neighbour and the Gaussian estimate beside them.
 *
 * @throws Refusal if a file cannot be read or there are too few rows.
 */
export async function arrayEstimate(request: EstimateRequest, context: EstimateContext): Promise<EstimateReport> {
  const start = performance.now();
  context.onStage?.('reading');
  const { x, y } = await readArrayPair(request.x, request.y, request.folder);
  const rows = x.rows;
  const options = crossFittingOptions(rows, request.seed, context.mode);
  if (rows < options.folds * minimumRowsPerFold) {
    throw new Refusal(
      `${request.x} and ${request.y} have ${rows} rows: at least ${options.folds * minimumRowsPerFold} are needed, so that enough can be held out.`,
    );
  }
  const scores = { x: normalScores(x.values, rows), y: normalScores(y.values, rows) };
  const warnings = [...(context.notice === null ? [] : [context.notice]), ...dataWarnings(request, x, y, scores)];

  let reading: CombinedReadOut = { estimate: 0, standardError: 0, interval: [0, 0] };
  let [nearest, canonical, run]: [
    NearestNeighbourEstimate | null,
    CanonicalCorrelationEstimate | null,
    CrossFittedRun | null,
  ] = [null, null, null];
  // A side that never changes shares no information with the other; there is nothing to train on.
  if (scores.x.columns > 0 && scores.y.columns > 0) {
    context.onStage?.('comparing with nearest neighbours and canonical correlations');
    if (Math.max(scores.x.columns, scores.y.columns) <= nearestNeighbourColumns) {
      nearest = nearestNeighbourEstimate(x.values, y.values, rows, { seed: request.seed });
    }
    canonical = gaussianEstimate(x, y, rows);
    context.onStage?.('compiling');
    run = await crossFittedRun(scores.x, scores.y, options, (steps, validation) => {
      context.onProgress?.(steps, options.maximumSteps, validation);
    });
    reading = combinedReadOut(run.folds, rows);
    if (!Number.isFinite(reading.estimate)) {
      throw new Error('The statistics networks diverged: their scores are not finite. Try another --seed.');
    }
    warnings.push(
      ...readingWarnings({
        reading,
        run,
        nearest,
        nearestOfEighth: nearest && nearestOfEighth(x, y, scores, request.seed),
        canonical: gaussianEstimate(scores.x, scores.y, rows),
        rows,
        scores,
      }),
    );
  }

  const unit = request.unit === 'bits' ? Math.LN2 : 1;
  const inUnit = (nats: number) => jsonNumberOf(nats / unit);
  return {
    estimate: inUnit(reading.estimate),
    interval: [inUnit(reading.interval[0]), inUnit(reading.interval[1])],
    unit: request.unit,
    truth: null,
    warnings,
    rows,
    x: describedSide(request.x, x, scores.x.kept),
    y: describedSide(request.y, y, scores.y.kept),
    standardError: inUnit(reading.standardError),
    folds: run ? run.folds.map((fold) => inUnit(fold.estimate)) : [],
    effectivePairs: run ? jsonNumberOf(Math.min(...run.folds.map((fold) => fold.effectivePairs))) : null,
    nearestNeighbour: nearest && { ...nearest, estimate: inUnit(nearest.estimate) },
    canonicalCorrelation: canonical && { estimate: inUnit(canonical.estimate), plugIn: inUnit(canonical.plugIn) },
    ceiling: inUnit(2 * Math.log(rows) + 5),
    steps: run?.steps ?? 0,
    seed: request.seed,
    device: context.device,
    seconds: Math.round(performance.now() - start) / 1000,
  };
}

function describedSide(source: string, { columnNames }: NumericArray, kept: readonly number[]): EstimateReport['x'] {
  return { source, columns: [...columnNames], constant: columnNames.filter((_, column) => !kept.includes(column)) };
}

interface Values {
  readonly values: Float64Array;
}

/** Null where there are more columns than it is computed for, or fewer rows than columns. */
function gaussianEstimate(x: Values, y: Values, rows: number): CanonicalCorrelationEstimate | null {
  try {
    const result = canonicalCorrelationEstimate(x.values, y.values, rows);
    return Number.isNaN(result.estimate) ? null : result;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The nearest-neighbour estimate from every eighth row, where that estimate can be trusted: few columns, no ties. */
function nearestOfEighth(
  x: NumericArray,
  y: NumericArray,
  scores: { readonly x: Columns; readonly y: Columns },
  seed: number,
): NearestNeighbourEstimate | null {
  if (scores.x.columns + scores.y.columns > trustedDimension || hasTies(scores, x.rows)) return null;
  const taken = ({ values, columns }: NumericArray) =>
    values.filter((_, index) => Math.floor(index / columns) % 8 === 0);
  return nearestNeighbourEstimate(taken(x), taken(y), Math.ceil(x.rows / 8), { seed });
}
