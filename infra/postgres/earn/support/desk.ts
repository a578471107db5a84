import type pg from 'pg';
import {
  MESSAGES_MAX,
  type StaffAnswer,
  type StaffSupport,
  type SupportAnswered,
  type SupportId,
} from '../../../../domain/earn/support/support.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { StaffMember } from '../../../../domain/staff/port.ts';
import { inTransaction } from '../../engine/transaction.ts';
import type { NoteChange } from '../note-change.ts';
import { addMessage, holdRequest, readThread, type RequestRow, requestOf, setState } from './rows.ts';

/** Requests of people, as staff have them. Two who answer one at once do so one after the other. */
export const staffSupport = (pool: pg.Pool, book: ProjectId, note: NoteChange): StaffSupport => ({
  list: async (state, { limit, after }) => {
    const { rows } = await pool.query<RequestRow>(list, [book, state, after, limit + 1]);
    return pageOf(rows.map(requestOf), limit);
  },
  read: (id) => readThread(pool, { book, id, personId: null }),
  answer: (answer) => inTransaction(pool, (tx) => answerOne(tx, { book, note }, answer)),
  close: (id, by) =>
    inTransaction(pool, async (tx) => {
      const held = await holdRequest(tx, { book, id, personId: null });
      if (!held) return { ok: false, reason: 'unknown-request' };
      if (held.state === 'closed') return { ok: true, request: requestOf(held) };
      await note(tx, changeOf(id, by, 'close'));
      return { ok: true, request: requestOf(await setState(tx, id, 'closed')) };
    }),
});

async function answerOne(
  tx: pg.PoolClient,
  { book, note }: { readonly book: ProjectId; readonly note: NoteChange },
  { id, text, closes, by }: StaffAnswer,
): Promise<SupportAnswered> {
  const held = await holdRequest(tx, { book, id, personId: null });
  if (!held) return { ok: false, reason: 'unknown-request' };
  if (held.messages >= MESSAGES_MAX) return { ok: false, reason: 'support-full' };
  const { rows } = await tx.query<Asked>(asked, [text, book, held.person_id]);
  if (rows[0]?.card !== false) return { ok: false, reason: 'card-number' };
  const state = closes ? 'closed' : 'answered';
  const request = requestOf(await addMessage(tx, { id, text, staffId: by.id, state }));
  await note(tx, changeOf(id, by, closes ? 'answer-and-close' : 'answer'));
  return { ok: true, request, reached: rows[0].reached };
}

interface Asked {
  readonly card: boolean;
  readonly reached: boolean;
}

/** The chats are those of `notices.ts`. */
const asked = `
select holds_card_number($1) as card,
  exists (select from person_chat c where c.person_id = $3 and c.mode = 'live')
    or exists (select from recipient r where r.project_id = $2 and r.person_id = $3 and r.telegram_chat_id is not null and r.telegram_blocked_at is null)
    as reached`;

/** What was said stands in the request, and in no audit. */
const changeOf = (subject: SupportId, by: StaffMember, did: 'answer' | 'answer-and-close' | 'close') =>
  ({ by, action: 'support.answer', subject, did }) as const;

const list = `
select r.id, r.person_id, r.subject, r.locale, r.state, r.messages, r.created_at, r.state_at from support_request r
where r.project_id = $1 and r.state = $2 and ($3::uuid is null or r.id > $3) order by r.id limit $4`;
