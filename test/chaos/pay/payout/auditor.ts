import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type pg from 'pg';
import { z } from 'zod';
import { mustFindNothing } from './must-find-nothing.ts';

/**
 * Audits a run of payments at rest, by two sources: the log that the rail itself keeps, and the tables, by plain SQL as their owner. It
 * shares no code with the product, nor with the rail: what both got wrong alike it would get wrong too.
 */
export interface Audit {
  /** As the owner of the tables. Of one run, and of no other. */
  readonly owner: pg.Pool;
  /** JSON lines. */
  readonly railLog: string;
  /** When a stop of the rail was answered, and when somebody began to open it again: milliseconds, by the clock of the log's `begin`. */
  readonly stops?: readonly { readonly answeredMs: number; readonly openedMs: number }[];
}

export interface Verdict {
  readonly items: number;
  /** Payments in the rail's log. */
  readonly applied: number;
  /** Requests to draft or to confirm that the rail got. */
  readonly calls: number;
  readonly paidTwice: number;
  /** Said to be paid and not in the log, or the other way round. */
  readonly lost: number;
  /** The most payments between a claim and a known end, at any moment. */
  readonly exposedMax: number;
  /** Each by its name, with what it found. Empty: all is well. */
  readonly problems: readonly string[];
}

const PAID_TWICE = 'paid twice';
const LOST = ['said to be paid, and not in the log', 'in the log, and not said to be paid'] as const;
/** Of what a statement finds: enough to look for the cause. */
const SHOWN_MAX = 5;
const CHUNK = 20_000;

const Line = z.object({
  t: z.string(),
  id: z.number().optional(),
  at: z.number().optional(),
  uuid: z.string().optional(),
  reference: z.string().optional(),
  amount: z.number().optional(),
  commission: z.number().optional(),
  total: z.number().optional(),
  status: z.union([z.string(), z.number()]).nullish(),
  method: z.string().optional(),
  path: z.string().optional(),
});
type Line = z.infer<typeof Line>;

export async function audit({ owner, railLog, stops = [] }: Audit): Promise<Verdict> {
  const client = await owner.connect();
  try {
    await client.query(tables);
    await readLog(client, railLog);
    await client.query('insert into audit_stop select * from unnest($1::bigint[], $2::bigint[])', [
      stops.map(({ answeredMs }) => Math.ceil(answeredMs)),
      stops.map(({ openedMs }) => Math.floor(openedMs)),
    ]);
    await client.query(joined);
    return await auditAll(client);
  } finally {
    await client.query('drop table if exists audit_line, audit_stop, audit_applied, audit_exposed');
    client.release();
  }
}

const tables = `
create temp table audit_line (t text, id int, at bigint, uuid text, reference text, amount bigint, commission bigint, total bigint, status text, method text, path text);
create temp table audit_stop (answered_ms bigint, opened_ms bigint)`;

/** Whose each payment of the log is, by the reference that our own call has. All tables are as full as they get, and were empty when last analysed. */
const joined = `
analyze;
create temp table audit_applied as
  select l.uuid, l.reference, l.at, l.amount, l.commission, l.total, d.id dispatch_id, d.project_id, d.rail_uuid, d.commission said_commission,
    i.payout_id, i.net, p.state
  from audit_line l
  left join (select distinct reference, dispatch_id from rail_call where what = 'draft') c on c.reference = l.reference
  left join payout_dispatch d on d.id = c.dispatch_id
  left join payout_item i on i.dispatch_id = d.id
  left join payout p on p.id = i.payout_id
  where l.t = 'paid';
analyze audit_applied;
-- From each draft to the last answer before the next one: at least so long its end was not known.
create temp table audit_exposed as
  with drafts as (
    select c.dispatch_id, c.opened_at, c.n, lead(c.n) over (partition by c.dispatch_id order by c.n) until from rail_call c where c.what = 'draft'),
  doubts as (
    select d.rail, x.opened_at, (
      select max(c.closed_at) from rail_call c where c.dispatch_id = x.dispatch_id and c.n >= x.n and (x.until is null or c.n < x.until)) known_at
    from drafts x join payout_dispatch d on d.id = x.dispatch_id),
  moments as (select rail, opened_at at, 1 step from doubts union all select rail, known_at, -1 from doubts),
  counts as (select rail, sum(step) over (partition by rail order by at, step) n from moments)
  select rail, max(n) n from counts group by rail`;

async function readLog(client: pg.PoolClient, path: string): Promise<void> {
  let lines: Line[] = [];
  for await (const text of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })) {
    if (text === '') continue;
    const line = Line.parse(JSON.parse(text));
    if (!isOfPayment(line)) continue;
    lines.push(line);
    if (lines.length < CHUNK) continue;
    await insert(client, lines);
    lines = [];
  }
  await insert(client, lines);
}

const isOfPayment = ({ t }: Line): boolean => ['begin', 'end', 'draft', 'paid', 'moved'].includes(t);

const insert = (client: pg.PoolClient, lines: readonly Line[]): Promise<unknown> =>
  client.query(
    `insert into audit_line select * from json_to_recordset($1)
       as l(t text, id int, at bigint, uuid text, reference text, amount bigint, commission bigint, total bigint, status text, method text, path text)`,
    [JSON.stringify(lines)],
  );

async function auditAll(client: pg.PoolClient): Promise<Verdict> {
  const found = new Map<string, readonly string[]>();
  for (const [name, sql] of Object.entries(mustFindNothing)) {
    const { rows } = await client.query<{ id: string }>(sql);
    found.set(
      name,
      rows.map(({ id }) => id),
    );
  }
  const { rows } = await client.query<{ items: number; applied: number; calls: number; exposed: number }>(
    figures,
  );
  const count = (name: string) => found.get(name)?.length ?? Number.NaN;
  return {
    items: rows[0]?.items ?? 0,
    applied: rows[0]?.applied ?? 0,
    calls: rows[0]?.calls ?? 0,
    paidTwice: count(PAID_TWICE),
    lost: LOST.reduce((sum, name) => sum + count(name), 0),
    exposedMax: rows[0]?.exposed ?? 0,
    problems: [...found]
      .filter(([, ids]) => ids.length > 0)
      .map(([name, ids]) => `${name}: ${ids.length}: ${ids.slice(0, SHOWN_MAX).join(', ')}`),
  };
}

const figures = `
select (select count(*)::int from payout_item) items, (select count(*)::int from audit_applied) applied,
  (select count(*)::int from audit_line where t = 'begin' and method in ('POST', 'PUT') and path like '/payment/credit%') calls,
  (select coalesce(max(n), 0)::int from audit_exposed) exposed`;
