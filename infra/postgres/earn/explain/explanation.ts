import type pg from 'pg';
import {
  type ExplainedTraffic,
  TRAFFIC_PARTS,
  type TrafficExplanation,
  type TrafficName,
  type TrafficPart,
} from '../../../../domain/earn/explain/explain.ts';
import { reasonSentence } from '../../../../domain/earn/traffic/words.ts';
import type { ReadHead } from '../../../../domain/pay/ledger/head.ts';
import { visibleLine } from '../../../../domain/shared/visible-line.ts';
import { proveTransfers } from '../../pay/ledger/prove-transfers.ts';
import { inSnapshot } from '../../pay/ledger/snapshot.ts';

/** Three installations that start anew all day long: whoever asks for a day is shown so many. */
const SESSIONS_MAX = 20;
/** Of a session: a phone that reports each minute has 1 440 a day, and the last ones say where its counter is. */
const REPORTS_MAX = 20;

/** Every row that says something of a day of traffic, in one snapshot; null where nothing is named so. */
export const explainTraffic = (
  pool: pg.Pool,
  name: TrafficName,
  readHead: ReadHead,
): Promise<TrafficExplanation | null> =>
  inSnapshot(pool, async (db) => {
    const found = await findSessions(db, name);
    if (found.length === 0) return null;
    const sessions = found.slice(0, SESSIONS_MAX);
    const told = await readRows(db, sessions, name.kind === 'day' ? name.day : null);
    return {
      sessions,
      more: found.length > SESSIONS_MAX,
      rows: await withChain(db, told, readHead),
    };
  });

async function findSessions(db: pg.PoolClient, name: TrafficName): Promise<readonly string[]> {
  const { rows } =
    name.kind === 'session'
      ? await db.query<{ id: string }>(findSession, [name.id])
      : await db.query<{ id: string }>(findOfDay, [name.person, name.day, SESSIONS_MAX + 1]);
  return rows.map(({ id }) => id);
}

const findSession = `select s.id from public.traffic_session s where s.id = $1`;

/** By the index of the person, in each book that there is. */
const findOfDay = `
select d.session_id as id from public.session_day d
where d.project_id = any (array(select b.project_id from public.ledger_book b)) and d.person_id = $1 and d.day = $2::date
order by 1 limit $3`;

async function withChain(
  db: pg.PoolClient,
  rows: readonly ExplainedTraffic[],
  readHead: ReadHead,
): Promise<readonly ExplainedTraffic[]> {
  const transfers = rows.filter(({ table }) => table === 'ledger_transfer').map(({ key }) => key);
  const [{ project_id: book } = {}] = transfers;
  if (book === undefined) return rows;
  const numbers = transfers.map(({ n }) => String(n));
  const proofs = await proveTransfers(db, String(book), numbers, readHead);
  return rows.map((row) =>
    row.table === 'ledger_transfer' ? { ...row, chain: proofs.get(String(row.key['n'])) ?? null } : row,
  );
}

interface TellingRow {
  readonly table: string;
  readonly key: Readonly<Record<string, string | number>>;
  readonly at: Date | null;
  readonly says: string;
}

/** @param day null: all days of the sessions. */
async function readRows(
  db: pg.PoolClient,
  sessions: readonly string[],
  day: string | null,
): Promise<readonly ExplainedTraffic[]> {
  const parts: Record<TrafficPart, readonly TellingRow[]> = {
    session: (await db.query<TellingRow>(readSessions, [sessions])).rows,
    reports: (await db.query<TellingRow>(readReports, [sessions, day, REPORTS_MAX])).rows,
    days: (await db.query<DayRow>(readDays, [sessions, day])).rows.map(dayRow),
    hands: (await db.query<TellingRow>(readHands, [sessions, day])).rows,
    money: (await db.query<TellingRow>(readMoney, [sessions, day])).rows,
  };
  return TRAFFIC_PARTS.flatMap((part) =>
    parts[part].map(({ says, ...row }) => ({ part, ...row, says: visibleLine(says) })),
  );
}

interface DayRow extends TellingRow {
  /** Null of a price. */
  readonly unpaid: readonly { readonly reason: string; readonly bytes: string }[] | null;
}

/** With why bytes are not paid, as its person is told. */
const dayRow = ({ unpaid, says, ...row }: DayRow): TellingRow => ({
  ...row,
  says: [
    says,
    ...(unpaid ?? []).map(
      ({ reason, bytes }) => `${bytes} bytes unpaid, ${reason}: ${reasonSentence(reason, 'en')}`,
    ),
  ].join('; '),
});

const time = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

const readSessions = `
select x."table", x.key, x.at, x.says from (
  select 'traffic_session' as "table", jsonb_build_object('id', s.id) as key, s.started_at as at,
    concat_ws(', ', 'of person ' || s.person_id, 'installation ' || s.installation_id, coalesce(s.ended_because || ' ' || ${time('s.ended_at')}, 'open'),
      s.reports || ' reports', 'metered ' || ${time('s.metered_at')}, s.verdict, s.reason, 'country ' || s.country) as says
  from public.traffic_session s where s.id = any ($1::uuid[])
  union all
  -- Jobs are kept for some days only, and the last one of a session alone is named.
  select 'job', jsonb_build_object('id', j.id), j.accepted_at, concat_ws(', ', j.kind, j.state, j.reason)
  from public.traffic_session s join public.job j on j.id = s.job_id where s.id = any ($1::uuid[])) x
order by x.at, x."table", x.key::text`;

const ofDay = (column: string) =>
  `($2::date is null or (${column} at time zone 'Asia/Tashkent')::date = $2::date)`;

/** Kept for forty days. The newest of each session. */
const readReports = `
select x."table", x.key, x.at, x.says from (
  select 'session_report' as "table", jsonb_build_object('session_id', r.session_id, 'seq', r.seq) as key, r.measured_at as at,
    concat_ws(', ', 'up ' || r.up, 'down ' || r.down, 'received ' || ${time('r.received_at')},
      case when r.conflicted then 'another report of this number said something else' end) as says
  from unnest($1::uuid[]) s(id)
  cross join lateral (
    select e.* from public.session_report e where e.session_id = s.id and ${ofDay('e.measured_at')} order by e.seq desc limit $3) r
  union all
  select 'gateway_report', jsonb_build_object('session_id', g.session_id, 'gateway_id', g.gateway_id, 'seq', g.seq), g.measured_at,
    concat_ws(', ', 'a gateway carried up ' || g.up, 'down ' || g.down, 'received ' || ${time('g.received_at')},
      case when g.conflicted then 'another report of this number said something else' end)
  from unnest($1::uuid[]) s(id)
  cross join lateral (
    select e.* from public.gateway_report e where e.session_id = s.id and ${ofDay('e.measured_at')} order by e.measured_at desc, e.seq desc limit $3) g) x
order by x.at, x."table", x.key::text`;

const readDays = `
with own as (select d.* from public.session_day d where d.session_id = any ($1::uuid[]) and ($2::date is null or d.day = $2::date))
select x."table", x.key, x.at, x.says, x.unpaid from (
  select 'session_day' as "table", jsonb_build_object('session_id', d.session_id, 'day', d.day) as key, d.metered_at as at,
    concat_ws(', ', d.bytes || ' bytes', d.payable || ' payable', d.tiyin_per_mb || ' tiyin a MB', round(d.micros / 1000000.0, 6) || ' UZS',
      'gateways ' || d.gateway_bytes, d.verdict, d.reason, coalesce('closed ' || ${time('d.closed_at')}, 'open'),
      'posted ' || round(nullif(d.posted_micros, 0) / 1000000.0, 6), 'taken back ' || round(nullif(d.taken_micros, 0) / 1000000.0, 6),
      'given again ' || round(nullif(d.given_micros, 0) / 1000000.0, 6)) as says, d.unpaid
  from own d
  union all
  select distinct 'price', jsonb_build_object('project_id', p.project_id, 'day', p.day), p.set_at,
    concat_ws(', ', p.tiyin_per_mb || ' tiyin a MB', case when p.carried then 'that of the day before, since nobody set one' end, 'set by ' || m.email, 'agreed by ' || a.email), null::jsonb
  from own d join public.price p on p.project_id = d.project_id and p.day = d.day
  left join public.staff m on m.id = p.set_by left join public.staff a on a.id = p.agreed_by) x
order by x.key ->> 'day', x."table" desc, x.key::text`;

const readHands = `
select x."table", x.key, x.at, x.says from (
  select 'session_day_action' as "table", jsonb_build_object('id', a.id) as key, a.at,
    concat_ws(', ', a.action || ' of ' || a.day, 'by ' || m.email, round(a.micros / 1000000.0, 6) || ' UZS', a.reason) as says
  from public.session_day_action a join public.staff m on m.id = a.staff_id
  where a.session_id = any ($1::uuid[]) and ($2::date is null or a.day = $2::date)
  union all
  select 'traffic_appeal', jsonb_build_object('id', a.id), a.asked_at,
    concat_ws(', ', 'appeal of ' || a.day, a.state, a.text, 'answered ' || ${time('a.ended_at')}, 'by ' || m.email, a.answer)
  from public.traffic_appeal a left join public.staff m on m.id = a.ended_by
  where a.session_id = any ($1::uuid[]) and ($2::date is null or a.day = $2::date)
  union all
  select 'filter_audit', jsonb_build_object('id', f.id), f.at, concat_ws(', ', 'addresses say ' || f.verdict, f.reason, 'class ' || f.class)
  from public.filter_audit f where f.session_id = any ($1::uuid[])) x
order by x.at, x."table", x.key::text`;

/** By the keys under which each step posts once. The close of a day is one transfer of the person, whatever sessions it is of. */
const readMoney = `
with own as (select d.* from public.session_day d where d.session_id = any ($1::uuid[]) and ($2::date is null or d.day = $2::date)),
keys (book, key) as (
  select d.project_id, prefix || d.person_id || ':' || d.day from own d cross join unnest(array['earn:', 'earn-debt:']) prefix
  union
  select d.project_id, prefix || d.session_id || ':' || d.day
  from own d cross join unnest(array['earn-late:', 'earn-late-debt:', 'earn-debt:', 'earn-again:', 'earn-again-debt:', 'takeback:', 'takeback-debt:']) prefix)
select 'ledger_transfer' as "table", jsonb_build_object('project_id', t.project_id, 'n', t.n) as key, t.posted_at as at,
  concat_ws(', ', t.n || ' ' || t.kind, round(t.amount / 1000000.0, 6) || ' UZS', d.class || ' ' || d.id || ' to ' || c.class || ' ' || c.id, 'key ' || t.key, 'by ' || t.actor) as says
from keys k join public.ledger_transfer t on t.project_id = k.book and t.key = k.key
join public.ledger_account d on d.id = t.debit join public.ledger_account c on c.id = t.credit
order by t.n`;
