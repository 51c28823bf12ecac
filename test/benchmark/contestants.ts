import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findInstalledEngine } from '../../server/tensorflow/engine/installed-engine';
import { cacheFolder } from '../../server/tensorflow/engine/engine-cache';
import { ensureOracleEnvironment } from '../oracle/environment';
import type { ContestantCommand } from './contestant-process';

/** A column of the result: a way of computing a step, in one of the processes. */
export interface Contestant {
  /** Field of the result's rows. */
  readonly key: string;
  readonly title: string;
  readonly family: Family;
  readonly variant: string;
  /** Someone else's: the best of these is what ours is held against. */
  readonly peer: boolean;
}

export type Family = 'ours' | 'ours-graph' | 'ours-eager' | 'stock' | 'jax' | 'torch';

export const contestants: readonly Contestant[] = [
  { key: 'ours', title: 'ours, as it trains', family: 'ours', variant: 'repeat', peer: false },
  { key: 'oursSingleCall', title: 'ours, one step a call', family: 'ours', variant: 'single-call', peer: false },
  { key: 'oursGraph', title: 'ours, without XLA', family: 'ours-graph', variant: 'repeat', peer: false },
  { key: 'oursEager', title: 'ours, op by op', family: 'ours-eager', variant: 'repeat', peer: false },
  { key: 'stockTfjsNode', title: 'plain tfjs-node, tf.train.adam', family: 'stock', variant: 'eager', peer: false },
  { key: 'jaxJit', title: 'jax.jit, one step a call', family: 'jax', variant: 'jit', peer: true },
  { key: 'jaxScan', title: 'jax.lax.scan, 20 steps a call', family: 'jax', variant: 'scan', peer: true },
  { key: 'torchCompile', title: 'torch.compile, whole step', family: 'torch', variant: 'compile', peer: true },
  {
    key: 'torchCompileGradients',
    title: 'torch.compile of the gradients, fused Adam',
    family: 'torch',
    variant: 'compile-gradients',
    peer: true,
  },
  { key: 'torchEager', title: 'PyTorch eager, fused Adam', family: 'torch', variant: 'eager', peer: true },
];

/**
 * How the processes are started. Makes the peers' Python environment on the first call.
 * @param sources the folder of this file in the repository: the bundle lies elsewhere.
 * @throws if no native engine is installed, or the environment cannot be made.
 */
export async function contestantCommands(
  sources: string,
): Promise<{ python: string; commands: Readonly<Record<Family, ContestantCommand>> }> {
  const engine = findInstalledEngine('cpu');
  if (engine === undefined) throw new Error('No native engine is installed: run `mine engine install` first.');
  const peers = path.join(sources, 'peers');
  const requirements = await readFile(path.join(peers, 'requirements.txt'), 'utf8');
  const python = await ensureOracleEnvironment(requirements.split('\n').filter((line) => /^[a-z]/.test(line)));
  const peer = (family: 'jax' | 'torch'): ContestantCommand => ({
    program: python,
    parameters: ['-B', path.join(peers, 'serve.py'), family],
    environment: { TORCHINDUCTOR_CACHE_DIR: path.join(cacheFolder(), 'benchmark', 'inductor') },
  });
  const ours = (mode: string): ContestantCommand => ({
    program: process.execPath,
    parameters: [path.join(__dirname, 'ours.js'), mode],
    environment: engine.environment,
  });
  return {
    python,
    commands: {
      ours: ours('auto'),
      'ours-graph': ours('graph'),
      'ours-eager': ours('eager'),
      stock: ours('stock'),
      jax: peer('jax'),
      torch: peer('torch'),
    },
  };
}
