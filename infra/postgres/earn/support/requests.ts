import type pg from 'pg';
import {
  MESSAGES_A_DAY_MAX,
  MESSAGES_MAX,
  OPEN_REQUESTS_MAX,
  type PersonSupport,
  type SupportDone,
  type SupportOrder,
  type SupportRefusal,
} from '../../../../domain/earn/support/support.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';
import { addMessage, holdRequest, readThread, type RequestRow, requestOf, setState } from './rows.ts';

/**
 * Requests of people. What one person writes is counted one after the other, by a lock of their own; then the request is locked, and read.
 * Staff, who lock the request alone, wait for nobody else.
 */
export const personSupport = (pool: pg.Pool, book: ProjectId): PersonSupport => ({
  open: (order) => inTransaction(pool, (tx) => openOne(tx, book, order)),
  list: async (personId, { limit, after }) => {
    const { rows } = await pool.query<RequestRow>(list, [book, personId, after, limit + 1]);
    return pageOf(rows.map(requestOf), limit);
  },
  read: (personId, id) => readThread(pool, { book, id, personId }),
  reply: (personId, id, text) => inTransaction(pool, (tx) => replyOne(tx, { book, personId, id }, text)),
  close: (personId, id) =>
    inTransaction(pool, async (tx) => {
      const held = await holdRequest(tx, { book, id, personId });
      if (!held) return refused('unknown-request');
      return done(held.state === 'closed' ? held : await setState(tx, id, 'closed'));
    }),
});

const done = (row: RequestRow): SupportDone => ({ ok: true, request: requestOf(row) });
const refused = (reason: SupportRefusal): SupportDone => ({ ok: false, reason });

async function openOne(tx: Queryable, book: ProjectId, order: SupportOrder): Promise<SupportDone> {
  const { personId, subject, text, locale } = order;
  await tx.query(holdPerson, [personId]);
  const { rows: same } = await tx.query<RequestRow>(findSame, [book, personId, subject, text]);
  if (same[0]) return done(same[0]);
  const refusal = await refusalOf(tx, { book, personId, opens: true, texts: [subject, text] });
  if (refusal) return refused(refusal);
  const { rows } = await tx.query<RequestRow>(insertRequest, [book, personId, subject, locale]);
  const [row] = rows;
  if (!row) throw new Error('a request for support was written and nothing was answered');
  return done(await addMessage(tx, { id: row.id, text, staffId: null, state: 'open' }));
}

interface Whose {
  readonly book: ProjectId;
  readonly personId: string;
  readonly id: string;
}

async function replyOne(tx: Queryable, { book, personId, id }: Whose, text: string): Promise<SupportDone> {
  await tx.query(holdPerson, [personId]);
  const held = await holdRequest(tx, { book, id, personId });
  if (!held) return refused('unknown-request');
  if (held.messages >= MESSAGES_MAX) return refused('support-full');
  const opens = held.state === 'closed';
  const refusal = await refusalOf(tx, { book, personId, opens, texts: [text] });
  return refusal ? refused(refusal) : done(await addMessage(tx, { id, text, staffId: null, state: 'open' }));
}

interface Counted {
  readonly open: number;
  readonly today: number;
  readonly card: boolean;
}

/** Why a person, whom the caller holds, may not write this now; null where they may. */
async function refusalOf(
  tx: Queryable,
  asked: {
    readonly book: ProjectId;
    readonly personId: string;
    readonly opens: boolean;
    readonly texts: readonly string[];
  },
): Promise<SupportRefusal | null> {
  const { book, personId, opens, texts } = asked;
  const { rows } = await tx.query<Counted>(count, [book, personId, texts]);
  const [counted] = rows;
  if (!counted) throw new Error('what a person wrote to support was counted and nothing was answered');
  if (counted.card) return 'card-number';
  if (opens && counted.open >= OPEN_REQUESTS_MAX) return 'support-open-limit';
  return counted.today >= MESSAGES_A_DAY_MAX ? 'support-day-limit' : null;
}

const holdPerson = `select pg_advisory_xact_lock(hashtextextended('support:' || $1::text, 0))`;

/** After the lock, in a statement of its own: what the one before has written is in it. */
const count = `
select (select count(*)::int from support_request r where r.project_id = $1 and r.person_id = $2 and r.state <> 'closed') as open,
  (select count(*)::int from support_message m join support_request r on r.id = m.request_id
    where r.project_id = $1 and r.person_id = $2 and m.staff_id is null and m.at > navbat_now() - interval '24 hours') as today,
  exists (select from unnest($3::text[]) t where holds_card_number(t)) as card`;

/** A phone that did not hear the answer asks again, word for word. */
const findSame = `
select r.id, r.person_id, r.subject, r.locale, r.state, r.messages, r.created_at, r.state_at from support_request r
where r.project_id = $1 and r.person_id = $2 and r.subject = $3 and r.state <> 'closed'
  and exists (select from support_message m where m.request_id = r.id and m.staff_id is null and m.text = $4)
order by r.id limit 1`;

const insertRequest = `
insert into support_request as r (project_id, person_id, subject, locale, state, messages, created_at, state_at)
values ($1, $2, $3, coalesce($4, (select c.locale from recipient c where c.project_id = $1 and c.person_id = $2 limit 1), 'uz'), 'open', 0,
  navbat_now(), navbat_now())
returning r.id, r.person_id, r.subject, r.locale, r.state, r.messages, r.created_at, r.state_at`;

const list = `
select r.id, r.person_id, r.subject, r.locale, r.state, r.messages, r.created_at, r.state_at from support_request r
where r.project_id = $1 and r.person_id = $2 and ($3::uuid is null or r.id < $3) order by r.id desc limit $4`;
