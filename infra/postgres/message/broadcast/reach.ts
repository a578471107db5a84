import { setImmediate as nextTurn } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type {
  BroadcastAccepted,
  BroadcastOrder,
  MessageTarget,
} from '../../../../domain/message/broadcast/broadcast.ts';
import type { JobId } from '../../../../domain/shared/ids.ts';
import type { Encryption, KeyedHash } from '../../../process/crypto.ts';
import { openPushToken } from '../../identity/recipient/push-tokens.ts';
import { chatHash } from '../preferences/opt-outs.ts';
import type { Facts, RecipientRow } from './intake-facts.ts';

/** So many are worked on in one turn of the event loop, some milliseconds: all other callers would wait for ten thousand. */
export const TARGETS_A_TURN = 500;

interface ReachDeps {
  readonly hash: KeyedHash;
  readonly encryption: Encryption;
  /** Of bare push tokens, by token. */
  readonly tokenHashes: ReadonlyMap<string, Buffer>;
}

/** A target as its job's row has it. */
export interface Reached {
  readonly jobId: JobId;
  readonly chatId: string | null;
  readonly addressHash: Buffer | null;
  readonly to: object;
  readonly label: string;
  /** The same for whatever names the same chat, device or topic. */
  readonly destination: string;
}
export interface Reachable {
  readonly targets: readonly Reached[];
  readonly duplicates: number;
}

/**
 * Every target must be known; a single one must also be reachable, while of many the unreachable are counted and left out. A
 * destination that is named twice is told once; a recipient says more of it than a bare chat or token.
 */
export async function reach(
  deps: ReachDeps,
  facts: Facts,
  order: BroadcastOrder,
): Promise<Reachable | BroadcastAccepted> {
  const reached = new Map<string, Reached>();
  let duplicates = 0;
  for (const [n, target] of order.targets.entries()) {
    if (n % TARGETS_A_TURN === TARGETS_A_TURN - 1) await nextTurn();
    const row =
      target.by === 'recipient' ? facts.recipient(order.caller.projectId, target.recipientId) : undefined;
    if (target.by === 'recipient' && !row)
      return { kind: 'unknown-recipient', recipientId: target.recipientId, replayed: false };
    const holder = target.by === 'token' ? facts.holderOf(order.caller.projectId, target.token) : undefined;
    const one = reachOne(deps, order, target, row, holder);
    if (one === null && order.targets.length === 1) return { kind: 'unreachable', replayed: false };
    if (one === null) continue;
    const earlier = reached.has(one.destination);
    if (earlier) duplicates++;
    if (!earlier || target.by === 'recipient') reached.set(one.destination, one);
  }
  return reached.size === 0
    ? { kind: 'unreachable', replayed: false }
    : { targets: [...reached.values()], duplicates };
}

function reachOne(
  deps: ReachDeps,
  { kind }: BroadcastOrder,
  target: MessageTarget,
  row: RecipientRow | undefined,
  holder: string | undefined,
): Reached | null {
  const jobId = uuidv7() as JobId;
  const at = { jobId, chatId: null, addressHash: row?.address_hash ?? null };
  switch (target.by) {
    case 'chat':
      return {
        ...at,
        chatId: target.chatId,
        to: { recipient_id: null },
        label: maskId(target.chatId),
        destination: `chat ${target.chatId}`,
        addressHash: chatHash(deps.hash, target.chatId),
      };
    case 'topic':
      return {
        ...at,
        to: { by: 'topic', topic: target.topic },
        label: `topic ${target.topic}`,
        destination: `topic ${target.topic}`,
      };
    case 'token':
      return { ...at, ...tokenOf(deps, target.token, jobId, holder) };
    case 'recipient':
      if (!row) return null;
      return kind === 'push' ? deviceOf(deps, row, at) : chatOf(deps, row, at);
  }
}

/** By the preferences of `holder` it is held back. */
const tokenOf = (
  { encryption, tokenHashes }: ReachDeps,
  token: string,
  jobId: JobId,
  holder: string | undefined,
) => ({
  to: {
    by: 'token',
    token_encrypted: encryption.encrypt(token, jobId).toString('base64'),
    token_hash: tokenHashes.get(token)?.toString('base64'),
    recipient_id: holder,
  },
  label: 'device',
  destination: `device ${token}`,
});

type At = Pick<Reached, 'jobId' | 'chatId' | 'addressHash'>;

function deviceOf({ encryption }: ReachDeps, row: RecipientRow, at: At): Reached | null {
  if (!row.push_token_encrypted) return null;
  // One damaged value must not fail the orders of all projects that share the batch.
  const token = openPushToken(encryption, row.push_token_encrypted, row.id);
  if (token === null) return null;
  return {
    ...at,
    to: { by: 'recipient', recipient_id: row.id },
    label: 'recipient',
    destination: `device ${token}`,
  };
}

function chatOf({ hash }: ReachDeps, row: RecipientRow, at: At): Reached | null {
  if (row.chat_id === null) return null;
  const destination = `chat ${row.chat_id}`;
  return {
    ...at,
    chatId: row.chat_id,
    to: { recipient_id: row.id, chat_hash: chatHash(hash, row.chat_id).toString('base64') },
    label: maskId(row.chat_id),
    destination,
  };
}

/** `•••••6789` of a chat's id. */
const maskId = (id: string) => '•'.repeat(Math.max(0, id.length - 4)) + id.slice(-4);
