// The automatic answer as its form shows it: days in Vietnam's time, the last one whole.
import type { VacationResponse } from '../../jmap/types';

export interface VacationForm {
  isEnabled: boolean;
  /** Days as `2026-11-25`; empty for none. */
  from: string;
  to: string;
  subject: string;
  text: string;
}

const OFFSET = 7 * 3_600_000;
const DAY = 24 * 3_600_000;

export function formOf(response: VacationResponse | null): VacationForm {
  return {
    isEnabled: response?.isEnabled ?? false,
    from: dayOf(response?.fromDate ?? null, 0),
    // The answer ends before its last instant: that one is on the day after.
    to: dayOf(response?.toDate ?? null, -1),
    subject: response?.subject ?? '',
    text: response?.textBody ?? '',
  };
}

export function responseOf(form: VacationForm): Partial<VacationResponse> {
  return {
    isEnabled: form.isEnabled,
    fromDate: instantOf(form.from, 0),
    toDate: instantOf(form.to, DAY),
    subject: form.subject.trim() || null,
    textBody: form.text.trim() || null,
    htmlBody: null,
  };
}

export type Fault = 'noText' | 'backwards';

/** What is wrong with a form that is to be switched on. */
export function faultOf({ isEnabled, from, to, text }: VacationForm): Fault | null {
  if (isEnabled && text.trim() === '') return 'noText';
  return from && to && to < from ? 'backwards' : null;
}

function dayOf(iso: string | null, shift: number): string {
  const at = iso === null ? Number.NaN : Date.parse(iso);
  return Number.isNaN(at) ? '' : new Date(at + OFFSET + shift).toISOString().slice(0, 10);
}

function instantOf(day: string, shift: number): string | null {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(at) ? null : new Date(at - OFFSET + shift).toISOString().replace(/\.\d+Z$/, 'Z');
}
