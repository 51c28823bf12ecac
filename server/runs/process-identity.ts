import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ProcessIdentity } from '../protocol/run-record';

/** Identifies this process, so that another one that gets the same id later is not mistaken for it. */
export function currentProcess(): ProcessIdentity {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '', host: hostname() };
}

/** `unknown`: it was started on another machine, where this one cannot look. */
export type Liveness = 'alive' | 'gone' | 'unknown';

export function livenessOf(identity: ProcessIdentity): Liveness {
  if (identity.host !== hostname()) return 'unknown';
  if (!exists(identity.pid)) return 'gone';
  const startTime = startTimeOf(identity.pid);
  if (startTime === null) return 'gone';
  return identity.startTime === '' || startTime === identity.startTime ? 'alive' : 'gone';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to someone else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Null if no such process runs; a zombie, ended but not yet waited for, does not run. Empty where there is no telling. */
function startTimeOf(pid: number): string | null {
  if (process.platform === 'linux') return linuxStartTime(pid);
  if (process.platform === 'win32') return '';
  try {
    const [state = '', ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return state.startsWith('Z') ? null : start.join(' ');
  } catch {
    return null;
  }
}

/** Clock ticks since boot, from proc(5), with the boot they count from: after a restart the ticks may repeat. */
function linuxStartTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the command in parentheses, may hold blanks and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0];
    const ticks = fields[19];
    if (state === 'Z' || state === 'X' || ticks === undefined) return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${ticks}`;
  } catch {
    return null;
  }
}
