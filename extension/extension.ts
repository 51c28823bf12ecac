import type { ExtensionContext } from 'vscode';

/** Called by the editor when the extension is first needed. Nothing is contributed yet; training runs from the command line. */
export function activate(_context: ExtensionContext): void {
  // Registered commands and views come with the editor side.
}
