// "Re:" and "Fwd:" once, however the programs before us wrote them.
const ANSWER = ['re', 'tl', 'trả lời', 'aw', 'sv'];
const FORWARD = ['fwd', 'fw', 'ct', 'chuyển tiếp', 'wg'];
const PREFIX = new RegExp(`^\\s*(?:${[...ANSWER, ...FORWARD].join('|')})\\s*(?:\\[\\d{1,3}\\]|\\(\\d{1,3}\\))?\\s*:\\s*`, 'iu');

/** The subject without what answering and forwarding put before it. */
export function bare(subject: string): string {
  let rest = subject.normalize('NFC').trim();
  // Bounded: a subject of nothing but prefixes.
  for (let round = 0; round < 50; round++) {
    const shorter = rest.replace(PREFIX, '');
    if (shorter === rest) break;
    rest = shorter;
  }
  return rest.trim();
}

/** The subject of an answer. */
export function answering(subject: string): string {
  return `Re: ${bare(subject)}`.trim();
}

/** The subject of a message that is passed on. */
export function forwarding(subject: string): string {
  return `Fwd: ${bare(subject)}`.trim();
}
