import type { GanConfig } from '../../config/gan';
import { GaussianGrid } from './gaussian-grid';
import type { PointTarget } from './point-target';
import { Spiral } from './spiral';

/** The target that a configuration names. A new one is one file beside this one, its schema, and one case here. */
export function createPointTarget(config: GanConfig['data']): PointTarget {
  switch (config.kind) {
    case 'gaussian-grid':
      return new GaussianGrid(config);
    case 'spiral':
      return new Spiral(config);
  }
}
