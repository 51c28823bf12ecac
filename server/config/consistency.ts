import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { trainingRows } from '../datasets/pairs/training-rows';
import type { ExperimentConfig } from './experiment-config';
import type { ConfigProblem } from './problems';

/**
 * What no single field shows: fields that contradict each other, data that is not there. `folder` is where relative data
 * paths start.
 */
export function consistencyProblems(config: ExperimentConfig, folder: string): ConfigProblem[] {
  return [...executionProblems(config), ...dataProblems(config, folder)];
}

function executionProblems({ execution }: ExperimentConfig): ConfigProblem[] {
  const compiled = execution.compile === 'xla' || execution.compile === 'graph';
  if (execution.device !== 'portable' || !compiled) return [];
  const message = `"${execution.compile}" needs the native engine, and execution.device is "portable": use "auto" for one of them.`;
  return [{ path: ['execution', 'compile'], message }];
}

function dataProblems(config: ExperimentConfig, folder: string): ConfigProblem[] {
  switch (config.experiment) {
    case 'gan':
      return batchProblems(
        config.training.batchSize,
        config.data.examples,
        `data.examples is only ${config.data.examples}`,
      );
    case 'mutual-information': {
      const { data, training } = config;
      if (data.kind === 'arrays') {
        return (['x', 'y'] as const).flatMap((field) => fileProblems(['data', field], data[field], folder));
      }
      if (data.examples === 'unlimited') return [];
      const trained = trainingRows(data.examples);
      return batchProblems(
        training.batchSize,
        trained,
        `only ${trained} of data.examples = ${data.examples} are trained on`,
      );
    }
  }
}

function batchProblems(batchSize: number, examples: number, said: string): ConfigProblem[] {
  if (batchSize <= examples) return [];
  const message = `is ${batchSize}, but ${said}: use at most ${examples}, or more examples.`;
  return [{ path: ['training', 'batchSize'], message }];
}

function fileProblems(path: readonly string[], name: string, folder: string): ConfigProblem[] {
  // `file.csv:columnA,columnB` names columns of a table.
  const file = resolve(folder, name.replace(/(\.csv):.*$/i, '$1'));
  try {
    accessSync(file, constants.R_OK);
    if (statSync(file).isFile()) return [];
    return [{ path, message: `${file} is not a file.` }];
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = isMissing ? 'does not exist: relative paths start at the configuration file' : 'cannot be read';
    return [{ path, message: `${file} ${reason}.` }];
  }
}
