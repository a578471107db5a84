import type { EntityManager } from '@mikro-orm/postgresql';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { forgets } from '../../forgets.ts';
import { TEST_PREFIX } from '../person/phone-users.ts';

/** The plain SQL of `recipients.ts`, in its transactions: locks, and what other contexts keep of a person. */

interface Claims {
  readonly projectId: ProjectId;
  readonly id: string;
  readonly chatId: string | null;
  readonly tokenHash: Uint8Array | null;
  readonly claims: readonly string[];
}
interface Holder {
  readonly id: string;
  readonly handle: string;
  readonly has_chat: boolean;
}

/** Locks each claim until the transaction's end. @returns another recipient that holds one of them. */
export async function lockAndFindHolder(tx: EntityManager, of: Claims): Promise<Holder | undefined> {
  const { projectId, id, chatId, tokenHash, claims } = of;
  await tx.execute(lockClaims, [projectId, JSON.stringify(claims)]);
  const [holder] = await tx.execute<Holder[]>(findHolder, [chatId, projectId, id, chatId, tokenHash]);
  return holder;
}

const lockClaims = `
select pg_advisory_xact_lock(hashtextextended('recipient ' || ? || claim, 0))
from (select claim from json_array_elements_text(?::json) claim order by claim) claims`;

/** The recipient that stands for the chat itself is no other person. */
const findHolder = `
select id, handle, coalesce(telegram_chat_id = ?::bigint, false) has_chat from recipient
where project_id = ? and id <> ? and handle is not null and handle not like 'telegram:%' and handle not like 'test:telegram:%'
  and (telegram_chat_id = ?::bigint or push_token_hash = ?) order by id limit 1`;

interface Person {
  readonly projectId: ProjectId;
  readonly id: string;
  readonly addressHash: Uint8Array;
  readonly phone: string | null;
}

export async function forgetPerson(tx: EntityManager, person: Person): Promise<void> {
  const { projectId, id, addressHash, phone } = person;
  for (const forget of forgets) await forget(tx, { projectId, id, addressHash });
  if (phone === null) return;
  await tx.execute(deletePhoneUsers, [projectId, phone, TEST_PREFIX + phone]);
  await tx.execute(deleteUsers, [projectId, phone]);
}

const deletePhoneUsers = 'delete from phone_user where project_id = ? and phone in (?, ?)';

/** Whoever registered with this phone; those of the recipient's own chat leave with it. */
const deleteUsers = 'delete from users where project_id = ? and phone_number = ?';
