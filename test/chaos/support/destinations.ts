import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { keyedHash } from '../../../infra/process/crypto.ts';

/** Operators of Uzbekistan, without 99, where the sandbox keeps numbers that fail by themselves. */
const OPERATORS = ['90', '91', '93', '94', '95', '97', '98', '88', '33', '50', '77'] as const;
const PREFIXES = OPERATORS.length * 1_000;

/** The `index`-th number: each next one has another prefix, so that no block of numbers looks pumped. */
export function phoneAt(index: number): string {
  const prefix = index % PREFIXES;
  const operator = OPERATORS[Math.floor(prefix / 1_000)] ?? OPERATORS[0];
  const last = 1_000 + Math.floor(index / PREFIXES);
  return `+998${operator}${String(prefix % 1_000).padStart(3, '0')}${last}`;
}

const FIRST_MESSAGE_CHAT = 800_000_000;

/** The `index`-th chat that a message goes to; none of them is asked for a code. */
export const chatAt = (index: number): number => FIRST_MESSAGE_CHAT + index;

export const tokenAt = (index: number): string => `chaos-device-${index}`;

export interface TelegramRecipient {
  readonly id: string;
  readonly chatId: string;
}

const FIRST_CHAT = 700_000_000;

/** People of the project who have opened its bot and gave no phone. */
export async function addTelegramRecipients(
  pool: Pool,
  project: { readonly id: string; readonly pepper: string },
  count: number,
): Promise<TelegramRecipient[]> {
  const hash = keyedHash(project.pepper);
  const people = Array.from({ length: count }, (_, index) => ({
    id: randomUUID(),
    chatId: String(FIRST_CHAT + index),
  }));
  await pool.query(
    `insert into recipient (id, project_id, handle, address_hash, telegram_chat_id, created_at, updated_at)
     select id, $2, 'person-' || chat, decode(hash, 'hex'), chat::bigint, now(), now()
     from json_to_recordset($1) as w (id uuid, chat text, hash text)`,
    [
      JSON.stringify(
        people.map(({ id, chatId }) => ({
          id,
          chat: chatId,
          hash: hash('address', `recipient:${id}`).toString('hex'),
        })),
      ),
      project.id,
    ],
  );
  return people;
}
