// Reasons that were given lately, to pick from: kept in this browser alone.
const STORED = 'congvu.reasons';
const MOST = 5;

export function recentReasons(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? '[]');
    return Array.isArray(stored) ? stored.filter((r): r is string => typeof r === 'string').slice(0, MOST) : [];
  } catch {
    return [];
  }
}

export function rememberReason(reason: string): void {
  if (!reason) return;
  const all = [reason, ...recentReasons().filter((r) => r !== reason)];
  localStorage.setItem(STORED, JSON.stringify(all.slice(0, MOST)));
}
