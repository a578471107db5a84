import {
  SupportId,
  type SupportMessage,
  type SupportRequest,
  type SupportState,
  type SupportThread,
} from '../../../../domain/earn/support/support.ts';
import type { Locale } from '../../../../domain/shared/locale.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { Queryable } from '../../engine/transaction.ts';

/** What people and staff do alike to the tables of support. */

export interface RequestRow {
  readonly id: string;
  readonly person_id: string;
  readonly subject: string;
  readonly locale: Locale;
  readonly state: SupportState;
  readonly messages: number;
  readonly created_at: Date;
  readonly state_at: Date;
}

export const requestOf = (row: RequestRow): SupportRequest => ({
  id: SupportId.parse(row.id),
  personId: row.person_id,
  subject: row.subject,
  locale: row.locale,
  state: row.state,
  messages: row.messages,
  createdAt: row.created_at,
  stateAt: row.state_at,
});

/** `personId`: one of theirs alone; null: anybody's. */
interface Which {
  readonly book: ProjectId;
  readonly id: string;
  readonly personId: string | null;
}

const columns = 'r.id, r.person_id, r.subject, r.locale, r.state, r.messages, r.created_at, r.state_at';
const which = 'r.id = $1 and r.project_id = $2 and ($3::uuid is null or r.person_id = $3)';

/** Locks it, and reads it in a statement of its own. */
export async function holdRequest(
  tx: Queryable,
  { book, id, personId }: Which,
): Promise<RequestRow | undefined> {
  await tx.query(`select from support_request r where ${which} for no key update`, [id, book, personId]);
  const { rows } = await tx.query<RequestRow>(`select ${columns} from support_request r where ${which}`, [
    id,
    book,
    personId,
  ]);
  return rows[0];
}

export async function setState(tx: Queryable, id: string, state: SupportState): Promise<RequestRow> {
  const { rows } = await tx.query<RequestRow>(
    `update support_request r set state = $2, state_at = navbat_now() where r.id = $1 returning ${columns}`,
    [id, state],
  );
  return theRow(rows);
}

interface NewMessage {
  readonly id: string;
  readonly text: string;
  /** Null: the person writes. */
  readonly staffId: string | null;
  readonly state: SupportState;
}

export async function addMessage(
  tx: Queryable,
  { id, text, staffId, state }: NewMessage,
): Promise<RequestRow> {
  const { rows } = await tx.query<RequestRow>(insertMessage, [id, text, staffId, state]);
  return theRow(rows);
}

const insertMessage = `
with said as (insert into support_message (request_id, staff_id, text, at) values ($1, $3, $2, navbat_now()))
update support_request r set messages = r.messages + 1, state = $4,
  state_at = case when r.state = $4 then r.state_at else navbat_now() end
where r.id = $1 returning ${columns}`;

function theRow(rows: readonly RequestRow[]): RequestRow {
  const [row] = rows;
  if (!row) throw new Error('a request for support was held, and is gone');
  return row;
}

interface MessageRow {
  readonly text: string;
  readonly at: Date;
  readonly by: string | null;
}

export async function readThread(
  db: Queryable,
  { book, id, personId }: Which,
): Promise<SupportThread | null> {
  const { rows } = await db.query<RequestRow>(`select ${columns} from support_request r where ${which}`, [
    id,
    book,
    personId,
  ]);
  const [row] = rows;
  if (!row) return null;
  const { rows: said } = await db.query<MessageRow>(messages, [id]);
  return { ...requestOf(row), thread: said satisfies readonly SupportMessage[] };
}

const messages = `
select m.text, m.at, s.email as by from support_message m left join staff s on s.id = m.staff_id
where m.request_id = $1 order by m.at, m.id`;
