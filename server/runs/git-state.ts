import { execFileSync } from 'node:child_process';

/** The commit that a folder is at, and whether tracked files differ from it; null outside a repository or without git. */
export function gitStateOf(folder: string): { commit: string; modified: boolean } | null {
  try {
    const commit = git(folder, 'rev-parse', 'HEAD').trim();
    return { commit, modified: git(folder, 'status', '--porcelain', '--untracked-files=no').trim() !== '' };
  } catch {
    return null;
  }
}

function git(folder: string, ...parameters: readonly string[]): string {
  return execFileSync('git', ['-C', folder, ...parameters], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 5000,
    // A lock file of ours must not get in the way of the user's own git commands.
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
  });
}
