import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Greeting, greeting, turnReply, type TurnRequest, type TurnResult } from './contestant-messages';

export interface ContestantCommand {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const KEPT_OUTPUT = 4000;

/** A process that computes steps when it is asked to, one JSON object a line; see `peers/serve.py` and `ours.ts`. */
export class ContestantProcess {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly ended: Promise<string>;
  private errorOutput = '';

  private constructor({ program, parameters, environment }: ContestantCommand) {
    const child = spawn(program, parameters, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.child = child;
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errorOutput = (this.errorOutput + text).slice(-KEPT_OUTPUT);
    });
    // Writing to a process that has died is reported by its end.
    child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        resolve(`could not be started (${error.message})`);
      });
      child.once('close', (code, signal) => {
        resolve(`ended with ${signal ?? `exit code ${code ?? 'unknown'}`}\n${this.errorOutput.trim()}`);
      });
    });
  }

  /** @throws if the process does not get as far as its greeting, with what it wrote. */
  static async start(command: ContestantCommand): Promise<{ process: ContestantProcess; greeting: Greeting }> {
    const process = new ContestantProcess(command);
    return { process, greeting: greeting.parse(await process.nextLine()) };
  }

  /** @throws if the contestant cannot do the step, or has ended. */
  async takeTurn(request: TurnRequest): Promise<TurnResult> {
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    const reply = turnReply.parse(await this.nextLine());
    if ('error' in reply) throw new Error(reply.error);
    return reply;
  }

  async stop(): Promise<void> {
    this.child.stdin?.end();
    const insist = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    await this.ended;
    clearTimeout(insist);
  }

  private async nextLine(): Promise<unknown> {
    const next = await this.lines.next();
    if (next.done === true) throw new Error(`${this.child.spawnfile} ${await this.ended}`);
    return JSON.parse(next.value) as unknown;
  }
}
