/**
 * What was asked for cannot be done, and nothing was started. Each problem is one sentence: what, where, what to do.
 * The command line prints them and exits with 2.
 */
export class Refusal extends Error {
  readonly problems: readonly string[];

  constructor(...problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'Refusal';
    this.problems = problems;
  }
}
