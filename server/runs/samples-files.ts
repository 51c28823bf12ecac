import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'npyjs';
import type { PointSamples } from '../experiments/experiment';
import { writing } from './disk-failure';
import { replaceFile } from './replace-file';
import { runPaths, samplesName } from './run-paths';
import { scatterPicture } from './scatter-picture';

/** Writes the samples of a step as `samples/step-000500.png` and the generated points as `.npy`, float32 `[n, dimension]`. */
export function writeSamples(run: string, step: number, samples: PointSamples): void {
  const folder = runPaths.samples(run);
  writing(folder, () => mkdirSync(folder, { recursive: true }));
  const { generated, dimension } = samples;
  const array = dump(generated, [generated.length / dimension, dimension]);
  replaceFile(join(folder, `${samplesName(step)}.npy`), new Uint8Array(array), { durable: false });
  replaceFile(join(folder, `${samplesName(step)}.png`), scatterPicture(samples), { durable: false });
}
