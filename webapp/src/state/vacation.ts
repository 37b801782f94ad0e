// The automatic answer of an account (RFC 8621 §8).
import { JmapError } from '../jmap/client';
import { type GetResponse, type Id, type SetResponse, VACATION, type VacationResponse } from '../jmap/types';
import { jmap } from './jmap.svelte';

const SINGLETON = 'singleton';

export async function vacationOf(accountId: Id): Promise<VacationResponse | null> {
  const got = await jmap.call<GetResponse<VacationResponse>>('VacationResponse/get', { accountId, ids: [SINGLETON] }, VACATION);
  return got.list[0] ?? null;
}

/** Changes it; throws the server's refusal, with its article where a rule stands against it. */
export async function changeVacation(accountId: Id, patch: Partial<VacationResponse>): Promise<void> {
  const set = await jmap.call<SetResponse<VacationResponse>>('VacationResponse/set', { accountId, update: { [SINGLETON]: patch } }, VACATION);
  const refused = set.notUpdated?.[SINGLETON];
  if (refused) throw new JmapError(refused.type, refused.description ?? '', 200, refused);
}
