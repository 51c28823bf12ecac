import { type TurnRequest } from './contestant-messages';
import { ContestantProcess, type ContestantCommand } from './contestant-process';
import type { Contestant, Family } from './contestants';
import { median } from './spread';

export interface RoundOptions {
  readonly rounds: number;
  /** Time of one contestant's turn in a round. */
  readonly secondsPerTurn: number;
  readonly onProgress: (text: string) => void;
}

/** What came of one step: a time per round for each contestant that could do it, else why not. */
export interface StepTimes {
  /** Milliseconds per step, one number a round (the median of the turn's groups), by the contestant's key. */
  readonly times: ReadonlyMap<string, readonly number[]>;
  /** The same of processor time, all threads added. */
  readonly processorTimes: ReadonlyMap<string, readonly number[]>;
  readonly failures: ReadonlyMap<string, string>;
  readonly versions: Readonly<Record<string, string>>;
}

const GROUPS_PER_TURN = 3;

/**
 * Times one step. In every round each contestant has one turn; the order is rotated from round to round, so that what
 * disturbs the machine for a while disturbs all alike, and nobody always runs after the same neighbour.
 */
export async function timeStep(
  step: string,
  contestants: readonly Contestant[],
  commands: Readonly<Record<Family, ContestantCommand>>,
  { rounds, secondsPerTurn, onProgress }: RoundOptions,
): Promise<StepTimes> {
  const processes = new Map<Family, ContestantProcess>();
  const times = new Map<string, number[]>();
  const processorTimes = new Map<string, number[]>();
  const failures = new Map<string, string>();
  let versions: Record<string, string> = {};
  try {
    const ready: { contestant: Contestant; process: ContestantProcess; request: TurnRequest }[] = [];
    for (const contestant of contestants) {
      onProgress(`${step}: preparing ${contestant.title}`);
      try {
        let process = processes.get(contestant.family);
        if (process === undefined) {
          const started = await ContestantProcess.start(commands[contestant.family]);
          process = started.process;
          processes.set(contestant.family, process);
          versions = { ...versions, ...started.greeting.versions };
        }
        const request = await turnOf(step, contestant.variant, process, secondsPerTurn);
        ready.push({ contestant, process, request });
        times.set(contestant.key, []);
        processorTimes.set(contestant.key, []);
      } catch (error) {
        failures.set(contestant.key, error instanceof Error ? error.message : String(error));
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < ready.length; turn++) {
        const { contestant, process, request } = ready[(round + turn) % ready.length]!;
        onProgress(`${step}: round ${round + 1} of ${rounds}, ${contestant.title}`);
        if (failures.has(contestant.key)) continue;
        try {
          const { millisecondsPerStep, processorMillisecondsPerStep } = await process.takeTurn(request);
          times.get(contestant.key)!.push(median(millisecondsPerStep));
          processorTimes.get(contestant.key)!.push(processorMillisecondsPerStep);
        } catch (error) {
          // Whoever fails in one round is out: a median over fewer rounds would compare different times of day.
          failures.set(contestant.key, error instanceof Error ? error.message : String(error));
          times.delete(contestant.key);
        }
      }
    }
  } finally {
    await Promise.all([...processes.values()].map((process) => process.stop()));
  }
  return { times, processorTimes, failures, versions };
}

/** Prepares the step (the first turn compiles and warms up), and finds how many iterations fill a turn. */
async function turnOf(
  step: string,
  variant: string,
  process: ContestantProcess,
  secondsPerTurn: number,
): Promise<TurnRequest> {
  const groupMilliseconds = (1000 * secondsPerTurn) / GROUPS_PER_TURN;
  let iterations = 1;
  let milliseconds = 0;
  // A single step of a millisecond tells little about a thousand of them.
  for (let trial = 0; trial < 3; trial++) {
    const turn = await process.takeTurn({ step, variant, iterations, groups: 1 });
    milliseconds = median(turn.millisecondsPerStep);
    const fitting = Math.max(1, Math.round(groupMilliseconds / milliseconds));
    if (fitting <= 2 * iterations) break;
    iterations = Math.min(fitting, 20 * iterations);
  }
  const fitting = Math.max(1, Math.round(groupMilliseconds / milliseconds));
  return { step, variant, iterations: fitting, groups: milliseconds > 2 * groupMilliseconds ? 1 : GROUPS_PER_TURN };
}
