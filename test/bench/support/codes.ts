import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { keyedHash } from '../../../infra/process/crypto.ts';
import { Calls } from '../provider/calls.ts';
import type { Child } from './child.ts';
import { quantile } from './figures.ts';
import { phoneAt } from './numbers.ts';
import type { Project } from './seed.ts';

/** Whatever is not with the provider by then counts as lost, and fails the bench. */
export const CALLS_WAIT_MS = 15_000;
const ANSWER_TIMEOUT_MS = 120_000;

/** The chat of the n-th number: its digits. */
export const chatOf = (number: number) => phoneAt(number).slice(1);

export const p50And99 = (values: readonly number[]) =>
  [quantile(values, 0.5), quantile(values, 0.99)] as const;

export function timeOf(times: ReadonlyMap<string, number>, chat: string): number {
  const at = times.get(chat);
  if (at === undefined) throw new Error(`nothing is known of ${chat}`);
  return at;
}

/** So many numbers from one on: each is known to every project that may be asked for it, with a chat of the same digits. */
export async function seedRecipients(
  sql: Client,
  pepper: string,
  projects: readonly Project[],
  { first, count }: { readonly first: number; readonly count: number },
): Promise<void> {
  const hash = keyedHash(pepper);
  const phones = Array.from({ length: count }, (_, index) => phoneAt(first + index));
  const hashes = phones.map((phone) => hash('address', phone));
  await sql.query(insertRecipients, [phones, hashes, projects.map(({ id }) => id)]);
}

const insertRecipients = `
insert into recipient (id, project_id, phone, address_hash, telegram_chat_id, created_at, updated_at)
select uuidv7(), ($3::uuid[])[1 + (place - 1) % cardinality($3::uuid[])], phone, hash, substr(phone, 2)::bigint, now(), now()
from unnest($1::text[], $2::bytea[]) with ordinality as g (phone, hash, place)`;

/** When each chat's message came to the provider, by its own stamps. @throws where it was not called once for each of them. */
export async function callsTo(provider: Child, expected: number): Promise<ReadonlyMap<string, number>> {
  const calls = new Map<string, number>();
  let total = 0;
  const deadline = performance.now() + CALLS_WAIT_MS;
  while (total < expected && performance.now() < deadline) {
    await sleep(200);
    provider.tell({});
    const heard = Calls.parse(await provider.answer(ANSWER_TIMEOUT_MS));
    total += heard.calls.length;
    for (const [chat, atMs] of heard.calls) calls.set(chat, atMs);
  }
  if (total !== expected || calls.size !== expected)
    throw new Error(`${expected} accepted, ${total} calls to ${calls.size} people`);
  return calls;
}

/** When the job of each of these chats was accepted. */
export async function acceptedAt(
  sql: Client,
  chats: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql.query<{ chat: string; at: Date }>(readAccepted, [
    chats.map((chat) => `+${chat}`),
  ]);
  return new Map(rows.map(({ chat, at }) => [chat, at.getTime()]));
}

const readAccepted = `
select substr(v.phone, 2) chat, j.accepted_at at from job j join verification v on v.job_id = j.id where v.phone = any($1)`;
