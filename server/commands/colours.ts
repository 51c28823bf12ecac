import { createColors } from 'picocolors';

const allowed = !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';

/** For what goes to standard error. Picocolors itself only looks at standard output, which may be a pipe. */
export const colours = createColors(allowed && process.stderr.isTTY);

/** For what goes to standard output. */
export const outputColours = createColors(allowed && process.stdout.isTTY);
