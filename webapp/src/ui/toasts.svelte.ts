// Short words about what was done.
const SHOWN = 8_000;

interface Toast {
  id: number;
  text: string;
}

let shown = $state<Toast[]>([]);
let last = 0;

export const toasts = {
  get all(): readonly Toast[] {
    return shown;
  },
  tell(text: string): void {
    const id = ++last;
    shown = [...shown, { id, text }];
    setTimeout(() => (shown = shown.filter((toast) => toast.id !== id)), SHOWN);
  },
};
