import type { z } from 'zod';
import type { bound } from '../../config/common';
import type { Bound } from './bound';
import { MineBound } from './mine';
import { MineFBound } from './mine-f';

export interface BoundConfig {
  readonly bound: z.infer<typeof bound>;
  readonly movingAverageRate: number;
}

/** The bound that a configuration names. A new bound is one file beside this one and one case here. */
export function createBound(config: BoundConfig, name: string): Bound {
  switch (config.bound) {
    case 'mine':
      return new MineBound(config.movingAverageRate, name);
    case 'mine-f':
      return new MineFBound();
  }
}
