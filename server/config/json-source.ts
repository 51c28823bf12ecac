/** Where something stands in a text; both counted from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

export interface JsonSource {
  readonly value: unknown;
  /** Where the value of a path begins, e.g. of `['training', 'batchSize']`; null if nothing stands there. */
  readonly positionOf: (path: readonly PropertyKey[]) => TextPosition | null;
  /** Keys that occur twice in one object; JSON would silently take the last. */
  readonly duplicates: readonly { readonly path: readonly string[]; readonly position: TextPosition }[];
}

export class JsonSyntaxError extends Error {
  constructor(
    message: string,
    readonly position: TextPosition,
  ) {
    super(message);
  }
}

/**
 * Parses JSON and notes where each value stands. `JSON.parse` alone cannot say where an error is: its messages differ
 * between versions of Node, and some name no place.
 * @throws JsonSyntaxError
 */
export function parseJsonSource(text: string): JsonSource {
  const scanner = new JsonScanner(text);
  scanner.scan();
  return {
    value: JSON.parse(text) as unknown,
    positionOf: (path) => {
      const offset = scanner.offsets.get(pathKey(path));
      return offset === undefined ? null : positionAt(text, offset);
    },
    duplicates: scanner.duplicates.map(({ path, offset }) => ({ path, position: positionAt(text, offset) })),
  };
}

const deepest = 64;
const blanks = /[ \t\n\r]*/y;
// eslint-disable-next-line no-control-regex -- JSON forbids exactly these characters in a text.
const stringToken = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const plainToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Walks through a JSON text by its grammar (RFC 8259). */
class JsonScanner {
  readonly offsets = new Map<string, number>();
  readonly duplicates: { path: string[]; offset: number }[] = [];
  private offset = 0;

  constructor(private readonly text: string) {}

  scan(): void {
    this.value([]);
    this.skipBlanks();
    if (this.offset < this.text.length) this.fail('there is text after the end of the object');
  }

  private value(path: readonly string[]): void {
    this.skipBlanks();
    if (path.length > deepest) this.fail(`objects are nested more than ${deepest} deep`);
    this.offsets.set(pathKey(path), this.offset);
    const next = this.text[this.offset];
    if (next === '{') this.object(path);
    else if (next === '[') this.array(path);
    else if (next === '"') this.string();
    else if (this.take(plainToken) === null) this.fail(this.describeUnexpected('a value'));
  }

  private object(path: readonly string[]): void {
    const keys = new Set<string>();
    this.list('}', () => {
      this.skipBlanks();
      const offset = this.offset;
      if (this.text[offset] !== '"') this.fail(this.describeUnexpected('a name in double quotes'));
      const key = JSON.parse(this.string()) as string;
      if (keys.has(key)) this.duplicates.push({ path: [...path, key], offset });
      keys.add(key);
      this.skipBlanks();
      if (this.text[this.offset] !== ':') this.fail(this.describeUnexpected(`a colon after "${key}"`));
      this.offset += 1;
      this.value([...path, key]);
    });
  }

  private array(path: readonly string[]): void {
    let index = 0;
    this.list(']', () => {
      this.value([...path, String(index)]);
      index += 1;
    });
  }

  /** What stands between an opening bracket and `close`, separated by commas. */
  private list(close: string, item: () => void): void {
    this.offset += 1;
    this.skipBlanks();
    if (this.text[this.offset] !== close) {
      for (;;) {
        item();
        this.skipBlanks();
        if (this.text[this.offset] !== ',') break;
        const comma = this.offset;
        this.offset += 1;
        this.skipBlanks();
        if (this.text[this.offset] === close) {
          this.offset = comma;
          this.fail(`remove the comma before "${close}"`);
        }
      }
    }
    if (this.text[this.offset] !== close) this.fail(this.describeUnexpected(`a comma or "${close}"`));
    this.offset += 1;
  }

  private string(): string {
    return (
      this.take(stringToken) ??
      this.fail('this text in double quotes is not closed, or holds a line break or a \\ that JSON does not know')
    );
  }

  private skipBlanks(): void {
    this.take(blanks);
    if (this.text.startsWith('//', this.offset) || this.text.startsWith('/*', this.offset)) {
      this.fail('JSON has no comments: remove this one');
    }
  }

  private take(token: RegExp): string | null {
    token.lastIndex = this.offset;
    const found = token.exec(this.text)?.[0];
    if (found === undefined) return null;
    this.offset += found.length;
    return found;
  }

  private describeUnexpected(expected: string): string {
    const found = this.text[this.offset];
    if (found === undefined) return `the file ends where ${expected} should stand`;
    if (found === "'") return `${expected} should stand here; JSON wants double quotes`;
    return `${expected} should stand here instead of ${JSON.stringify(found)}`;
  }

  private fail(message: string): never {
    throw new JsonSyntaxError(message, positionAt(this.text, this.offset));
  }
}

function pathKey(path: readonly PropertyKey[]): string {
  return JSON.stringify(path.map(String));
}

function positionAt(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
