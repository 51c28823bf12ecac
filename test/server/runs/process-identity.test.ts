import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { currentProcess, livenessOf } from '../../../server/runs/process-identity';
import { eventually } from './mine-programs';

describe('a process', () => {
  it('is alive while it runs, and another one with its number is not taken for it', () => {
    const self = currentProcess();
    expect(livenessOf(self)).toBe('alive');
    expect(livenessOf({ ...self, startTime: 'another boot:12345' })).toBe('gone');
    expect(livenessOf({ ...self, host: 'another-host' })).toBe('unknown');
  });

  it('is gone when it has ended, even if nobody has waited for it yet', async () => {
    // The shell's child ends and stays a zombie, since the shell has become a program that never waits.
    const shell = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 20'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(shell.stdout, 'data')) as [Buffer];
    const child = { ...currentProcess(), pid: Number(line.toString()), startTime: '' };
    expect(livenessOf(child)).toBe('alive');
    await eventually(() => (livenessOf(child) === 'gone' ? true : null));
    process.kill(child.pid, 0);
    shell.kill();
  });
});
