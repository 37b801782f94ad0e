// The pages of the settings, as their paths name them.
export const TABS = ['appearance', 'writing', 'vacation', 'devices'] as const;
export type Tab = (typeof TABS)[number];

export function tabOf(name: string | undefined): Tab | null {
  return name === undefined ? 'appearance' : (TABS.find((tab) => tab === name) ?? null);
}
