import type { KeyedHash } from '../../../process/crypto.ts';
import type { Queryable } from '../../engine/transaction.ts';

/** Where a recipient is reached. */
export interface DestinationColumns {
  readonly chat_id: string | null;
  readonly push_token_hash: Buffer | null;
}

/** As `message_opt_out` has a chat; of push tokens it has the hash that their recipient's row has. */
export const chatHash = (hash: KeyedHash, chatId: string): Buffer => hash('address', `chat:${chatId}`);

/** Each once, and in one order for all who lock two of them. */
export function destinationHashes(hash: KeyedHash, rows: readonly DestinationColumns[]): Buffer[] {
  const all = rows.flatMap(({ chat_id: chatId, push_token_hash: tokenHash }) => [
    ...(chatId === null ? [] : [chatHash(hash, chatId)]),
    ...(tokenHash === null ? [] : [tokenHash]),
  ]);
  const unique = new Map(all.map((one) => [one.toString('hex'), one]));
  return [...unique.values()].toSorted((a, b) => a.compare(b));
}

/** What a person said of everything stays with the places where they are reached, whoever stands for these in the project later. */
export async function keepOptOut(
  tx: Queryable,
  projectId: string,
  hashes: readonly Buffer[],
  optedOutAt: Date | null,
): Promise<void> {
  if (hashes.length === 0) return;
  if (optedOutAt === null) await tx.query(forgetOptOuts, [projectId, hashes]);
  else await tx.query(addOptOuts, [projectId, hashes, optedOutAt]);
}

const addOptOuts = `
insert into message_opt_out (project_id, destination_hash, opted_out_at) select $1, hash, $3 from unnest($2::bytea[]) hash order by hash
on conflict do nothing`;
const forgetOptOuts =
  'delete from message_opt_out where project_id = $1 and destination_hash = any($2::bytea[])';
