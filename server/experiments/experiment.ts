import type { ExperimentConfig } from '../config/experiment-config';
import type { ProgramMode, VariableValue } from '../tensorflow/program';

/** Metrics by name, e.g. `gradientNorm.ratio`. NaN and infinities are values like others: they are shown, not dropped. */
export type Metrics = Readonly<Record<string, number>>;

/** Points drawn from fixed noise at one step, for the picture and for the raw file. */
export interface PointSamples {
  readonly kind: 'points';
  /** Row-major `[count, dimension]`. */
  readonly generated: Float32Array;
  readonly dimension: number;
  /** A fixed share of the real points, row-major `[n, dimension]`, drawn faint behind the generated ones. */
  readonly real: Float32Array;
}

export interface Evaluation {
  readonly metrics: Metrics;
  readonly samples?: PointSamples;
}

/** The read-out that ends a run; becomes `summary.json`. */
export interface ReadOut {
  readonly estimate: number;
  /** 95 % interval. */
  readonly interval: readonly [number, number];
  readonly unit: 'nats' | 'bits';
  /** The closed form, where there is one. */
  readonly truth: number | null;
  /** Plain sentences a user should read beside the number. */
  readonly warnings: readonly string[];
  readonly metrics: Metrics;
}

/**
 * A prepared experiment: networks built, program compiled, ready to train. Everything that changes while it trains is in
 * its variables (weights, optimiser state, moving averages, the step counter that keys the random numbers), so that
 * `push(pull())` restores it exactly.
 */
export interface Training {
  /** How its program is compiled. */
  readonly mode: ProgramMode;
  readonly iterations: number;
  readonly evaluateEvery: number;
  /** Names of the metrics of one iteration, in the order of the columns that `advance` returns. */
  readonly metricNames: readonly string[];
  /** Names of the metrics that `evaluate` returns, known before the first evaluation. */
  readonly evaluationMetricNames: readonly string[];
  /** Which of them the progress line shows, with a short label. */
  readonly headline: readonly { readonly metric: string; readonly label: string; readonly digits: number }[];
  /** The evaluation metric that tells which checkpoint is kept as the best; without it only the newest are kept. */
  readonly best?: { readonly metric: string; readonly better: 'higher' | 'lower' };
  /** Trains `count` iterations; returns row-major `[count, metricNames.length]`. Blocks for as long as it takes. */
  advance(count: number): Promise<Float32Array>;
  /** Evaluates without changing any variable. */
  evaluate(): Promise<Evaluation>;
  /** The final read-out. Changes no variable. */
  readOut(): Promise<ReadOut>;
  pull(): Map<string, VariableValue>;
  /** @throws if a variable is missing, unknown, or of another shape, naming it. */
  push(values: ReadonlyMap<string, VariableValue>): void;
  dispose(): void;
}

export interface ExperimentContext {
  /** Relative data paths in the configuration start here. */
  readonly folder: string;
  /** Reports what is being prepared: "drawing 100,000 points", "recording", "compiling". */
  readonly onPreparing: (stage: string) => void;
}

/** Prepares the training that a configuration describes. One per experiment kind; see `experiments/registry.ts`. */
export type PrepareExperiment<Config extends ExperimentConfig> = (
  config: Config,
  context: ExperimentContext,
) => Promise<Training>;
