import { z } from 'zod';
import { ganConfig } from './gan';
import { mutualInformationConfig } from './mutual-information';

/** Every experiment's schema. A new experiment is one file beside this one and one entry here. */
export const experimentConfig = z.discriminatedUnion('experiment', [mutualInformationConfig, ganConfig]);

/** A resolved configuration: every default spelled out. */
export type ExperimentConfig = z.infer<typeof experimentConfig>;
