import { randomBytes, randomUUID } from 'node:crypto';
import { makeStaff } from '../roles.ts';
import { moneyProjectOf, newPhone, type World } from '../world.ts';

/** Rows as paying would leave them. Of a person or a payee's phone. */

export type Payee = { readonly personId: string } | { readonly phone: string };

/** Usable since yesterday. */
export async function makeDestination(world: World, payee: Payee): Promise<string> {
  const { rows } = await world.db.query<{ id: string }>(
    `insert into payout_destination (project_id, person_id, phone, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
     values ($1, $2, $3, 'multicard', 'x', $4, '1234', now() - interval '1 day', now() - interval '2 days') returning id`,
    [
      moneyProjectOf(world),
      'personId' in payee ? payee.personId : null,
      'phone' in payee ? payee.phone : null,
      randomBytes(32),
    ],
  );
  return rows[0]?.id ?? '';
}

/** A person's, which is cancelled already: nothing of the ledger hangs on it. */
export async function makeWithdrawal(world: World, personId: string): Promise<string> {
  const { rows } = await world.db.query<{ id: string }>(
    `insert into payout (project_id, source, person_id, destination_id, rail, gross, fee, net, state, asked_by, created_at, state_at)
     values ($1, 'withdrawal', $2, $3, 'multicard', 2000000, 0, 2000000, 'cancelled', 'person', now(), now()) returning id`,
    [moneyProjectOf(world), personId, await makeDestination(world, { personId })],
  );
  return rows[0]?.id ?? '';
}

/** The same of a project. */
export async function makePayout(world: World, funder: string): Promise<string> {
  const { rows } = await world.db.query<{ id: string }>(
    `insert into payout (project_id, source, funder, phone, payee_name, purpose, reference, rail, gross, fee, net, state, asked_by, created_at, state_at)
     values ($1, 'api', $2, $3, 'Aziza', 'delivery', $4, 'multicard', 2000000, 0, 2000000, 'cancelled', 'key:' || $5, now(), now()) returning id`,
    [moneyProjectOf(world), funder, newPhone(), randomUUID(), randomUUID()],
  );
  return rows[0]?.id ?? '';
}

/** An empty draft of somebody of finance. */
export async function makeDraft(world: World): Promise<{ id: string; maker: string }> {
  const maker = await makeStaff(world, 'finance');
  const { rows } = await world.db.query<{ id: string }>(
    `select batch as id from batch_create($1, 'multicard', 'drivers', $2)`,
    [moneyProjectOf(world), maker],
  );
  return { id: rows[0]?.id ?? '', maker };
}

interface Submitted {
  readonly id: string;
  readonly version: number;
  readonly hash: string;
  readonly count: number;
  readonly total: string;
}

/** With one line, to a phone for which a project pays. */
export async function makeSubmitted(world: World): Promise<Submitted> {
  const { db } = world;
  const book = moneyProjectOf(world);
  const [{ id, maker }, phone, key] = [await makeDraft(world), newPhone(), randomUUID()];
  const { rows: opened } = await db.query<{ account: string }>(
    `select account from ledger_open($1, '{bank,funded}', array[null, $1]::uuid[], '{null,null}') order by item`,
    [book],
  );
  await db.query(
    `select from ledger_post_all($1, array['top-up:' || $2], '{top-up}', array[$3::bigint], array[$4::bigint], '{20000000000}',
       '{null}', array[now()], '{test}')`,
    [book, key, opened[0]?.account, opened[1]?.account],
  );
  const { rows: asked } = await db.query<{ id: string }>(
    `select id from payout_ask($1, 'api', $1, null, $2, 'Aziza', 'delivery', $3, $4, 'multicard', 2000000, 0, 'key:' || $3)`,
    [book, phone, key, await makeDestination(world, { phone })],
  );
  await db.query('select from batch_add($1, 1, $2, $3)', [id, maker, [asked[0]?.id]]);
  const { rows } = await db.query<Omit<Submitted, 'id'>>(
    `select version, encode(content_hash, 'hex') hash, count, total from batch_submit($1, 2, $2)`,
    [id, maker],
  );
  if (!rows[0]) throw new Error('nothing was submitted');
  return { id, ...rows[0] };
}
