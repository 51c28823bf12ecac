import * as tf from '@tensorflow/tfjs';
import { gatherRows } from '../tensorflow/gather';
import type { EntryDefinition, InputSpecification, Program } from '../tensorflow/program';
import type { RandomStreams } from '../tensorflow/random';
import type { Bound } from './bounds/bound';
import { heldOutEstimate, type HeldOutEstimate, spreadShifts } from './read-out';

const SCALAR: InputSpecification = { shape: [], dtype: 'int32' };

export interface HeldOutPairs {
  /** Draws or takes `[count, dx]` and `[count, dz]` held-out pairs. */
  readonly pairs: (random: RandomStreams) => { readonly x: tf.Tensor; readonly z: tf.Tensor };
  readonly score: (x: tf.Tensor, z: tf.Tensor) => tf.Tensor;
}

/**
 * Entries that score one block of held-out pairs, the `draw`-th of this training step: the joint pairs, and those with z
 * shifted by a given number. They change no variable. They run in the graph mode: they are called too seldom to be worth
 * an XLA compilation.
 */
export function heldOutEntries(
  { pairs, score }: HeldOutPairs,
  random: RandomStreams,
): Record<'scoreJoint' | 'scoreShifted', EntryDefinition> {
  return {
    scoreJoint: {
      mode: 'graph',
      inputs: { draw: SCALAR },
      body: ({ draw }) => {
        const { x, z } = pairs(random.fold(draw as tf.Scalar));
        return { scores: score(x, z) };
      },
    },
    scoreShifted: {
      mode: 'graph',
      inputs: { draw: SCALAR, shift: SCALAR },
      body: ({ draw, shift }) => {
        const { x, z } = pairs(random.fold(draw as tf.Scalar));
        const count = x.shape[0];
        const indices = tf.mod(tf.add(tf.range(0, count, 1, 'int32'), shift!), tf.scalar(count, 'int32'));
        return { scores: score(x, gatherRows(z, indices)) };
      },
    },
  };
}

/** Runs the entries on `draws` blocks, numbered from `firstDraw`, and reads the bound out, the partition averaged over `permutations` shifts. */
export function readOutHeldOut(
  program: Program<'scoreJoint' | 'scoreShifted'>,
  bound: Bound,
  options: { readonly permutations: number; readonly firstDraw: number; readonly draws: number },
): HeldOutEstimate {
  const blocks = Array.from({ length: options.draws }, (_, i) => {
    const draw = Int32Array.of(options.firstDraw + i);
    const joint = program.run('scoreJoint', { draw }).scores!.values;
    const marginal = spreadShifts(options.permutations, joint.length).map((shift) => ({
      shift,
      scores: program.run('scoreShifted', { draw, shift: Int32Array.of(shift) }).scores!.values,
    }));
    return { joint, marginal };
  });
  return heldOutEstimate(blocks, bound);
}
