import type { ExperimentConfig } from '../config/experiment-config';
import type { ExperimentContext, Training } from './experiment';
import { prepareGan } from './gan';
import { prepareMutualInformation } from './mutual-information';

/** Prepares the experiment that a configuration names. A new experiment is one file beside this one, its schema, and one case here. */
export async function prepareExperiment(config: ExperimentConfig, context: ExperimentContext): Promise<Training> {
  switch (config.experiment) {
    case 'mutual-information':
      return prepareMutualInformation(config, context);
    case 'gan':
      return prepareGan(config, context);
  }
}
