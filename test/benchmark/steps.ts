import { z } from 'zod';
import content from './steps.json';

const size = z.int().positive();
const optimiser = { learningRate: z.number().positive(), beta1: z.number().min(0).lt(1) };

const mutualInformation = z.strictObject({
  kind: z.literal('mutual-information'),
  title: z.string(),
  dimension: size,
  correlation: z.number(),
  batchSize: size,
  hidden: z.array(size),
  movingAverageRate: z.number(),
  ...optimiser,
});
const gan = z.strictObject({
  kind: z.literal('gan'),
  title: z.string(),
  examples: size,
  side: size,
  spacing: z.number(),
  standardDeviation: z.number(),
  batchSize: size,
  noiseDimension: size,
  codeDimension: size,
  generatorHidden: z.array(size),
  discriminatorHidden: z.array(size),
  statisticsNetworkHidden: z.array(size),
  leakiness: z.number(),
  mutualInformationWeight: z.number(),
  movingAverageRate: z.number(),
  ...optimiser,
});
const dcganDiscriminator = z.strictObject({
  kind: z.literal('dcgan-discriminator'),
  title: z.string(),
  size,
  channels: size,
  batchSize: size,
  filters: z.array(size),
  kernelSize: size,
  leakiness: z.number(),
});

export type MutualInformationStep = z.infer<typeof mutualInformation>;
export type GanStep = z.infer<typeof gan>;
export type DcganDiscriminatorStep = z.infer<typeof dcganDiscriminator>;
export type StepSpecification = MutualInformationStep | GanStep | DcganDiscriminatorStep;

/** The steps that are timed, by name; the Python peers read the same file. */
export const steps: Readonly<Record<string, StepSpecification>> = z
  .record(z.string(), z.discriminatedUnion('kind', [mutualInformation, gan, dcganDiscriminator]))
  .parse(content);

/** @throws if there is no step of that name. */
export function stepNamed(name: string): StepSpecification {
  const step = steps[name];
  if (step === undefined) throw new Error(`there is no step "${name}"; there are: ${Object.keys(steps).join(', ')}`);
  return step;
}
