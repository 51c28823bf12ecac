const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'your disk quota is used up: free some space',
  EFBIG: 'a file may not grow any further: raise the limit on file sizes (ulimit -f)',
  EROFS: 'the file system is read-only: choose another folder',
  EACCES: 'permission is denied: make the folder writable or choose another',
  EPERM: 'permission is denied: make the folder writable or choose another',
  ENOENT: 'its folder does not exist, or was moved or deleted meanwhile',
  ENOTDIR: 'a part of the path is a file, not a folder: choose another folder',
  EIO: 'the disk reports an error: check its health',
  EMFILE: 'too many files are open: raise the limit (ulimit -n)',
};

/** A file could not be written; the message is one sentence with what to do. */
export class WriteFailure extends Error {
  readonly code: string | undefined;

  constructor(path: string, cause: NodeJS.ErrnoException) {
    const reason = reasons[cause.code ?? ''] ?? cause.message;
    super(`${path} cannot be written: ${reason}.`, { cause });
    this.name = 'WriteFailure';
    this.code = cause.code;
  }

  /** No space left, or no quota left. */
  get isDiskFull(): boolean {
    return this.code === 'ENOSPC' || this.code === 'EDQUOT';
  }
}

/** Does something that writes `path`. @throws WriteFailure where the file system refuses. */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const isOfFileSystem = error instanceof Error && (error as NodeJS.ErrnoException).syscall !== undefined;
    throw isOfFileSystem ? new WriteFailure(path, error) : error;
  }
}
