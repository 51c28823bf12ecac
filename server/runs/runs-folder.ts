import { resolve } from 'node:path';

/** Where runs lie: as asked for, else `MINE_RUNS`, else `runs` in the working directory. Absolute. */
export function runsFolder(asked: string | undefined): string {
  const fromEnvironment = process.env['MINE_RUNS'];
  return resolve(asked ?? (fromEnvironment || 'runs'));
}
