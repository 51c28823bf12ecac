import type { ExperimentConfig } from '../../../server/config/experiment-config';
import { ganConfig } from '../../../server/config/gan';
import { mutualInformationConfig } from '../../../server/config/mutual-information';
import type { Training } from '../../../server/experiments/experiment';
import { prepareExperiment } from '../../../server/experiments/registry';

/** Both experiments with every part that carries state, small enough to compile in seconds. */
export function smallExperiments(
  compile: ExperimentConfig['execution']['compile'],
  seed = 3,
): { readonly name: ExperimentConfig['experiment']; readonly config: ExperimentConfig }[] {
  const execution = { compile };
  return [
    {
      name: 'mutual-information',
      config: mutualInformationConfig.parse({
        experiment: 'mutual-information',
        seed,
        data: { kind: 'gaussian', dimension: 2, correlation: 0.7, examples: 500 },
        statisticsNetwork: { hidden: [16, 16], activation: 'elu' },
        training: { iterations: 40, batchSize: 32, learningRateSchedule: 'cosine' },
        evaluation: { permutations: 2 },
        execution,
      }),
    },
    {
      name: 'gan',
      config: ganConfig.parse({
        experiment: 'gan',
        seed,
        data: { kind: 'gaussian-grid', examples: 200, side: 3 },
        generator: { hidden: [16, 16], weightAveraging: 0.9 },
        discriminator: { hidden: [16] },
        statisticsNetwork: { hidden: [16] },
        training: { iterations: 40, batchSize: 20, learningRateSchedule: 'linear' },
        evaluation: { samples: 100, heldOutSamples: 100, permutations: 2 },
        execution,
      }),
    },
  ];
}

export function prepareSmall(config: ExperimentConfig): Promise<Training> {
  return prepareExperiment(config, { folder: '.', onPreparing: () => undefined });
}
