import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Heard, Move } from '../../../../domain/pay/dispatch/dispatch.ts';
import { type Encryption, rowEncryption } from '../../../../infra/process/crypto.ts';
import type pg from 'pg';
import { openTestBook } from './book.ts';
import { bookOf } from './posting.ts';

export interface Claimed {
  readonly refusal: string | null;
  readonly call: number | null;
  readonly attempt: number | null;
  readonly reference: string | null;
  readonly rail_uuid: string | null;
  readonly token_encrypted: Buffer | null;
}
export interface DispatchRow {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly attempt: number;
  readonly reference: string | null;
  readonly rail_uuid: string | null;
  readonly version: number;
  readonly job_id: string;
}
export interface Payee {
  readonly personId: string;
  readonly destinationId: string;
  readonly payoutId: string;
  readonly available: string;
  readonly held: string;
}
interface CardPayee extends Payee {
  /** The rail's token. */
  readonly card: string;
}

const MICROS = 10_000n;
/** 12 345 UZS and a fee of 45, in tiyin. */
export const GROSS = 1_234_500n;
export const FEE = 4_500n;

/** A book with people who asked for a payout, and batches of them that run: what stands in front of a dispatch. */
export async function openDispatchWorld() {
  const book = await openTestBook();
  return { ...book, ...(await dispatchWorldOn({ ...book, encryption: rowEncryption(book.ring) })) };
}

interface Ground {
  readonly pool: pg.Pool;
  readonly owner: pg.Pool;
  readonly projectId: string;
  readonly encryption: Encryption;
}

/** The same in a database that somebody else has opened, with a book of this project. */
export async function dispatchWorldOn({ pool, owner, projectId, encryption }: Ground) {
  const book = bookOf(owner, projectId);
  const staff = async (role = 'finance', madeDaysAgo = 30): Promise<string> => {
    const id = randomUUID();
    await pool.query(
      `insert into staff (id, email, password_hash, role, created_at) values ($1, $2, 'x', $3, now() - $4 * interval '1 day')`,
      [id, `${id}@example.com`, role, madeDaysAgo],
    );
    return id;
  };
  const maker = await staff();

  let cards = 0;
  const payee = async (): Promise<CardPayee> => {
    // As the sandbox's rail takes it.
    const card = `sim${(cards += 1)}`;
    const person = await book.person(GROSS * MICROS);
    const [destinationId, payoutId] = [randomUUID(), randomUUID()];
    await owner.query(
      `insert into payout_destination (id, project_id, person_id, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
       values ($1, $2, $3, 'multicard', $4, $5, '1234', now() - interval '2 days', now() - interval '3 days')`,
      [destinationId, projectId, person.id, encryption.encrypt(card, destinationId), randomBytes(32)],
    );
    await owner.query(
      `insert into payout (id, project_id, source, person_id, destination_id, rail, gross, fee, net, state, asked_by, created_at, state_at)
       values ($1, $2, 'withdrawal', $3, $4, 'multicard', $5, $6, $7, 'batched', 'person', now(), now())`,
      [payoutId, projectId, person.id, destinationId, GROSS, FEE, GROSS - FEE],
    );
    await book.post([
      {
        key: `hold:${payoutId}`,
        kind: 'hold',
        debit: person.available,
        credit: person.held,
        amount: GROSS * MICROS,
        subject: payoutId,
      },
    ]);
    return {
      personId: person.id,
      card,
      destinationId,
      payoutId,
      available: person.available,
      held: person.held,
    };
  };

  /** So many items, approved and running. */
  const batch = async (count: number): Promise<{ id: string; payees: readonly CardPayee[] }> => {
    const id = randomUUID();
    await owner.query(
      `insert into payout_batch (id, project_id, rail, name, made_by, made_at) values ($1, $2, 'multicard', 'test', $3, now())`,
      [id, projectId, maker],
    );
    const payees: CardPayee[] = [];
    for (let n = 1; n <= count; n++) {
      const each = await payee();
      payees.push(each);
      await owner.query(
        `insert into payout_item (batch_id, n, payout_id, net, token_hash, last4, person_id)
         select $1, $2, p.id, p.net, d.holder_hash, d.last4, p.person_id
         from payout p join payout_destination d on d.id = p.destination_id where p.id = $3`,
        [id, n, each.payoutId],
      );
    }
    await owner.query(
      `update payout_batch set state = 'submitted', content_hash = sha256('x'), count = $2, submitted_at = now() where id = $1`,
      [id, count],
    );
    for (const state of ['approved', 'running'])
      await owner.query('update payout_batch set state = $2 where id = $1', [id, state]);
    return { id, payees };
  };

  const start = async (keep = 1_000): Promise<number> =>
    (await pool.query<{ n: number }>(`select dispatch_start('multicard', $1) n`, [keep])).rows[0]?.n ?? -1;
  const dispatches = async (batchId: string): Promise<readonly DispatchRow[]> =>
    (
      await pool.query<DispatchRow>(
        `select d.id, d.state, d.reason, d.attempt, d.reference, d.rail_uuid, d.version, d.job_id
         from payout_dispatch d join payout_item i on i.dispatch_id = d.id where d.batch_id = $1 order by i.n`,
        [batchId],
      )
    ).rows;
  const dispatch = async (id: string): Promise<DispatchRow> => {
    const { rows } = await pool.query<DispatchRow>(
      'select id, state, reason, attempt, reference, rail_uuid, version, job_id from payout_dispatch where id = $1',
      [id],
    );
    if (!rows[0]) throw new Error('no such dispatch');
    return rows[0];
  };

  const claimAll = async (
    items: readonly { readonly id: string; readonly version: number }[],
    what = 'draft',
    attempt = 0,
    db: Pick<typeof pool, 'query'> = pool,
  ): Promise<readonly Claimed[]> =>
    (
      await db.query<Claimed>(
        `select refusal, call, attempt, reference, rail_uuid, token_encrypted from dispatch_claim($1, $2, $3, $4) order by item`,
        [
          items.map(({ id }) => id),
          items.map(({ version }) => version),
          items.map(() => what),
          items.map(() => attempt),
        ],
      )
    ).rows;
  /** Of the row as it is now. */
  const claim = async (id: string, what = 'draft', attempt = 0): Promise<Claimed> => {
    const [claimed] = await claimAll([await dispatch(id)], what, attempt);
    if (!claimed) throw new Error('no answer');
    return claimed;
  };

  const move = async (
    id: string,
    call: number | null,
    heard: Heard | null,
    to: Move['to'],
    more: Record<string, unknown> = {},
    db: Pick<typeof pool, 'query'> = pool,
  ): Promise<{ readonly result: string; readonly call: number | null }> => {
    const { rows } = await db.query<{ result: string; call: number | null }>(
      'select result, call from dispatch_move($1)',
      [
        JSON.stringify([
          {
            dispatch: id,
            version: (await dispatch(id)).version,
            call,
            outcome: heard?.kind,
            status: heard?.kind === 'answered' ? heard.status : undefined,
            because: heard?.kind === 'refused' ? heard.because : undefined,
            to,
            next_at: new Date(),
            confirms: false,
            ...more,
          },
        ]),
      ],
    );
    if (!rows[0]) throw new Error('no answer');
    return rows[0];
  };

  /** As if everything so far had happened so much earlier: what the calls kept of their times, as the owner of a test may. */
  const age = async (id: string, seconds: number): Promise<void> => {
    await owner.query('alter table rail_call disable trigger user');
    await owner.query(
      `update rail_call set opened_at = opened_at - $2 * interval '1 second', call_by = call_by - $2 * interval '1 second',
         closed_at = closed_at - $2 * interval '1 second' where dispatch_id = $1`,
      [id, seconds],
    );
    await owner.query('alter table rail_call enable trigger user');
  };

  /** A phone of somebody else, who has bound the same card or account. */
  const phoneOfSameCard = async ({ destinationId }: Payee): Promise<string> => {
    const phone = `+99890${randomInt(1_000_000, 9_999_999)}`;
    await owner.query(
      `insert into payout_destination (id, project_id, phone, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
       select $2, d.project_id, $3, d.rail, d.token_encrypted, d.holder_hash, d.last4, d.usable_from, d.made_at
       from payout_destination d where d.id = $1`,
      [destinationId, randomUUID(), phone],
    );
    return phone;
  };

  const stateOf = async ({ payoutId }: Payee) =>
    (
      await pool.query<{ payout: string; item: string; reason: string | null; told: string[] }>(
        `select p.state payout, i.state item, p.reason,
           array(select n.what from payout_notice n where n.payout_id = p.id order by n.what) told
         from payout p join payout_item i on i.payout_id = p.id where p.id = $1`,
        [payoutId],
      )
    ).rows[0];

  return {
    encryption,
    maker,
    staff,
    batch,
    start,
    dispatch,
    dispatches,
    claim,
    claimAll,
    move,
    age,
    phoneOfSameCard,
    stateOf,
    clearing: await book.open('clearing', null, 'multicard'),
    fee: await book.open('fee'),
    commission: await book.open('commission'),
  };
}
