import { readFileSync } from 'node:fs';
import { experimentConfig, type ExperimentConfig } from '../config/experiment-config';
import { pathText } from '../config/problems';
import { Refusal } from '../config/refusal';
import { runPaths } from './run-paths';

/** The configuration in a run's directory. @throws Refusal if it is damaged or does not fit this version. */
export function readResolvedConfig(run: string): ExperimentConfig {
  const path = runPaths.config(run);
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Refusal(`${path} cannot be read: ${(error as Error).message}.`);
  }
  const parsed = experimentConfig.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refusal(
    `${path} does not fit this version of MINE: ${pathText(issue?.path ?? [])}: ${issue?.message ?? 'unknown problem'}.`,
  );
}
