import type { Program } from '../tensorflow/program';
import type { Evaluation, ReadOut, Training } from './experiment';

export interface TrainingParts extends Pick<
  Training,
  'mode' | 'best' | 'iterations' | 'evaluateEvery' | 'evaluationMetricNames' | 'headline'
> {
  readonly evaluate: () => Evaluation;
  readonly readOut: () => ReadOut;
}

/** A training whose iteration is the program's entry `train` and whose state is the program's variables. */
export function programTraining<Name extends string>(program: Program<Name | 'train'>, parts: TrainingParts): Training {
  return {
    ...parts,
    metricNames: program.resultNames('train'),
    advance: (count) => Promise.resolve(program.repeat('train', count)),
    evaluate: () => Promise.resolve(parts.evaluate()),
    readOut: () => Promise.resolve(parts.readOut()),
    pull: () => program.pull(),
    push: (values) => {
      program.push(values);
    },
    dispose: () => {
      program.dispose();
    },
  };
}
