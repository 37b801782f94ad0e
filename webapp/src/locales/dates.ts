// Dates as people in the office say them, in Vietnam's time.
const ZONE = 'Asia/Ho_Chi_Minh';

// Made once: a long list asks for every row.
const format = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', weekday: 'short',
});

const parts = (at: Date) => {
  return Object.fromEntries(format.formatToParts(at).map((p) => [p.type, p.value])) as Record<string, string>;
};

const DAYS: Record<string, string> = {
  Mon: 'thứ Hai', Tue: 'thứ Ba', Wed: 'thứ Tư', Thu: 'thứ Năm', Fri: 'thứ Sáu', Sat: 'thứ Bảy', Sun: 'Chủ nhật',
};

/** "hôm nay 09:12", "thứ Ba 12/11", with the year when it is another one. */
export function when(iso: string, language: 'vi' | 'en', now = new Date()): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const [then, today] = [parts(at), parts(now)];
  const sameYear = then['year'] === today['year'];
  if (sameYear && then['month'] === today['month'] && then['day'] === today['day']) {
    return `${language === 'vi' ? 'hôm nay' : 'today'} ${then['hour']}:${then['minute']}`;
  }
  const day = language === 'vi' ? (DAYS[then['weekday'] ?? ''] ?? '') : then['weekday'];
  return `${day} ${then['day']}/${then['month']}${sameYear ? '' : `/${then['year']}`}`;
}

/** The whole of it, for a tooltip. */
export function full(iso: string, language: 'vi' | 'en'): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const then = parts(at);
  const day = language === 'vi' ? DAYS[then['weekday'] ?? ''] : then['weekday'];
  return `${day}, ${then['day']}/${then['month']}/${then['year']} ${then['hour']}:${then['minute']}`;
}

/** A size for people: 12 KB, 3,4 MB. */
export function size(bytes: number, language: 'vi' | 'en'): string {
  if (bytes < 1000) return `${bytes} B`;
  const number = new Intl.NumberFormat(language, { maximumSignificantDigits: 2 });
  return bytes < 999_500 ? `${number.format(bytes / 1000)} KB` : `${number.format(bytes / 1e6)} MB`;
}

/** A number for people: 32.500. */
export function figure(number: number, language: 'vi' | 'en'): string {
  return new Intl.NumberFormat(language).format(number);
}
