import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlRequest, type ControlRequest } from '../protocol/control-request';
import { writing } from './disk-failure';
import { runPaths } from './run-paths';

/** Asks the trainer of a run for something. Asking twice is the same as asking once. */
export function requestControl(run: string, request: ControlRequest): void {
  const folder = runPaths.control(run);
  writing(folder, () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, request), '');
  });
}

/** The requests that wait, in no order; none if the folder was removed. Files of other names are left alone. */
export function waitingRequests(run: string): ReadonlySet<ControlRequest> {
  const folder = runPaths.control(run);
  if (!existsSync(folder)) return new Set();
  const names = readdirSync(folder).map((name) => controlRequest.safeParse(name).data);
  return new Set(names.filter((name) => name !== undefined));
}

/** Removes a request: it has been acted on, or was withdrawn. */
export function removeRequest(run: string, request: ControlRequest): void {
  rmSync(join(runPaths.control(run), request), { force: true });
}
