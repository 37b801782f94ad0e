// As whom an account sends (RFC 8621 §6).
import { JmapError } from '../jmap/client';
import { type GetResponse, type Id, type Identity, type SetResponse, SUBMISSION } from '../jmap/types';
import { jmap } from './jmap.svelte';

export async function identitiesOf(accountId: Id): Promise<Identity[]> {
  return (await jmap.call<GetResponse<Identity>>('Identity/get', { accountId, ids: null }, SUBMISSION)).list;
}

/** Changes an identity; throws the server's refusal. */
export async function changeIdentity(accountId: Id, id: Id, patch: Partial<Identity>): Promise<void> {
  const set = await jmap.call<SetResponse<Identity>>('Identity/set', { accountId, update: { [id]: patch } }, SUBMISSION);
  const refused = set.notUpdated?.[id];
  if (refused) throw new JmapError(refused.type, refused.description ?? '', 200, refused);
}
