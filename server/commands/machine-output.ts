/** One JSON value on standard output, for programs; everything for people goes to standard error or is asked for as text. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
