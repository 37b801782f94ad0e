// What the frame and the screens tell each other.
let helpOpen = $state(false);
let drawerOpen = $state(false);
let focus: () => void = () => undefined;

export const shell = {
  /** Whether the sheet of keys is open. */
  get help(): boolean {
    return helpOpen;
  },
  set help(open: boolean) {
    helpOpen = open;
  },
  /** Whether the folders are drawn over the page, on a narrow screen. */
  get drawer(): boolean {
    return drawerOpen;
  },
  set drawer(open: boolean) {
    drawerOpen = open;
  },
  /** Goes to the search box. */
  search(): void {
    focus();
  },
  set searchBox(go: () => void) {
    focus = go;
  },
};
