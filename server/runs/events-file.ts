import { appendFileSync, openSync, closeSync, ftruncateSync, readFileSync, existsSync } from 'node:fs';
import { runEvent, type RunEvent } from '../protocol/run-event';
import { writing } from './disk-failure';
import { runPaths } from './run-paths';

type WithoutTime<Event> = Event extends unknown ? Omit<Event, 'time'> : never;

/** An event before it is written. */
export type NewRunEvent = WithoutTime<RunEvent>;

/** Appends one line and returns the event as written. */
export function appendEvent(run: string, event: NewRunEvent): RunEvent {
  const timed: RunEvent = { ...event, time: new Date().toISOString() };
  const path = runPaths.events(run);
  writing(path, () => {
    appendFileSync(path, `${JSON.stringify(timed)}\n`);
  });
  return timed;
}

/** The events of a run in order. A torn last line is passed over, as is a line of a kind that a newer version writes. */
export function readEvents(run: string): RunEvent[] {
  if (!existsSync(runPaths.events(run))) return [];
  return readFileSync(runPaths.events(run), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const event = eventIn(line);
      return event === null ? [] : [event];
    });
}

/** Cuts a torn last line off. Only the process that holds the run may do this. */
export function endTornEvents(run: string): void {
  if (!existsSync(runPaths.events(run))) return;
  const file = openSync(runPaths.events(run), 'r+');
  try {
    ftruncateSync(file, readFileSync(file).lastIndexOf('\n') + 1);
  } finally {
    closeSync(file);
  }
}

function eventIn(line: string): RunEvent | null {
  try {
    return runEvent.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
