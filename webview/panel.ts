/** The panel's page. It is empty until the editor side shows runs in it. */
export function showPanel(root: HTMLElement): void {
  root.replaceChildren();
}
