// Short words about what was done, with a way back where there is one.
const SHOWN = 8_000;
const SHOWN_WITH_ACTION = 10_000;
const MOST = 3;

export interface ToastAction {
  words: string;
  run: () => void;
}

interface Toast {
  id: number;
  text: string;
  action: ToastAction | null;
}

let all = $state<Toast[]>([]);
let last = 0;

export const toasts = {
  get all(): readonly Toast[] {
    return all;
  },
  /** Tells something, for as long as there is a way back, or for `shown` milliseconds. */
  tell(text: string, action: ToastAction | null = null, shown = action ? SHOWN_WITH_ACTION : SHOWN): void {
    const id = ++last;
    all = [...all.slice(1 - MOST), { id, text, action }];
    setTimeout(() => this.close(id), shown);
  },
  close(id: number): void {
    all = all.filter((toast) => toast.id !== id);
  },
};
