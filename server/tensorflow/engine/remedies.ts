/** What went wrong, for a person. */
export function sentence(error: unknown): string {
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC') {
    return 'the disk is full; free some space, or set MINE_CACHE to a folder on a larger disk';
  }
  return error instanceof Error ? error.message : String(error);
}

/** How to get a C++ compiler here. */
export function compilerRemedy(): string {
  if (process.platform === 'darwin') return 'install one with `xcode-select --install`';
  return 'install one with `sudo apt install g++`, or the g++ package of this system';
}

/** How to get pip here. */
export function pipRemedy(): string {
  if (process.platform === 'linux')
    return "install it with `sudo apt install python3-pip`, or this system's package of it";
  return 'install Python from python.org, or name one that has pip with `--python PATH`';
}
