import { existsSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Code between an entry and the recorder; who wrote the entry looks elsewhere. */
const MACHINERY =
  /[\\/]server[\\/]tensorflow[\\/](author-line|recorder|recorded-entry|native-backend|compiled-program|program-checks|program|random|optimizers|gradients|gather|activations|learning-rate)\.ts$/;

/** Libraries. tfjs's own maps lead to a source tree that is not there. */
const LIBRARY = /^node:|(^|[\\/])(node_modules|tfjs-(core|layers|converter|data|node|backend-\w+))[\\/]/;

interface Line {
  readonly file: string;
  /** The file as the map of a bundle names it, seen from the bundle, which may itself lie in `node_modules`. */
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

/**
 * The innermost line of the present call stack that is neither tfjs's nor the recorder's, as `file:line:column`, or
 * undefined. A line of a bundle is traced back to its source through the map beside it.
 */
export function authorLine(): string | undefined {
  // Between the entry's line and this one lie more frames of tfjs than the ten that V8 keeps by default.
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 200;
  const { stack = '' } = new Error();
  Error.stackTraceLimit = limit;
  const maps = new Map<string, SourceMap | undefined>();
  for (const frame of stack.split('\n')) {
    const [, location, line, column] = /^\s*at (?:.* \()?(.+?):(\d+):(\d+)\)?$/.exec(frame) ?? [];
    if (location === undefined) continue;
    const file = filePath(location);
    const found = sourceLine({ file, source: file, line: Number(line), column: Number(column) }, maps);
    if (!LIBRARY.test(found.source) && !MACHINERY.test(found.source))
      return `${found.file}:${found.line}:${found.column}`;
  }
  return undefined;
}

const filePath = (location: string): string => (location.startsWith('file:') ? fileURLToPath(location) : location);

function sourceLine(bundled: Line, maps: Map<string, SourceMap | undefined>): Line {
  const { file } = bundled;
  if (!maps.has(file)) maps.set(file, sourceMap(`${file}.map`));
  const entry = maps.get(file)?.findEntry(bundled.line - 1, bundled.column - 1);
  if (entry === undefined || !('originalSource' in entry)) return bundled;
  return {
    file: path.resolve(path.dirname(file), entry.originalSource),
    source: entry.originalSource,
    line: entry.originalLine + 1,
    column: entry.originalColumn + 1,
  };
}

function sourceMap(file: string): SourceMap | undefined {
  if (!existsSync(file)) return undefined;
  // A map is written by the bundler; where it is damaged the bundle's own line must do.
  try {
    return new SourceMap(JSON.parse(readFileSync(file, 'utf8')) as SourceMapPayload);
  } catch {
    return undefined;
  }
}
