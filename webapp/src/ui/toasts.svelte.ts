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

let shown = $state<Toast[]>([]);
let last = 0;

export const toasts = {
  get all(): readonly Toast[] {
    return shown;
  },
  tell(text: string, action: ToastAction | null = null): void {
    const id = ++last;
    shown = [...shown.slice(1 - MOST), { id, text, action }];
    setTimeout(() => this.close(id), action ? SHOWN_WITH_ACTION : SHOWN);
  },
  close(id: number): void {
    shown = shown.filter((toast) => toast.id !== id);
  },
};
