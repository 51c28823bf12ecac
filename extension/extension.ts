/** Called by the editor when the extension is first needed. Nothing is contributed yet; training runs from the command line. */
export function activate(): void {
  // Commands and views are registered here once there are some.
}
