import {
  type Block,
  type Earner,
  type Earners,
  type EarnerSearch,
  type Installation,
  SHOWN_INSTALLATIONS_MAX,
} from '../../../../domain/earn/people/port.ts';
import { Locale } from '../../../../domain/shared/locale.ts';
import { type Page, pageOf, type PageOrder } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { Queryable } from '../../engine/transaction.ts';

/** As installations count: those of longer ago are forgotten. */
const INSTALLATION_DAYS = 30;
/** Blocks that are shown of one person: the newest say how it stands. */
const BLOCKS_MAX = 20;

interface Deps {
  readonly pool: Queryable;
  readonly book: ProjectId;
  /** Under which a phone is found. */
  readonly addressHash: (phone: string) => Buffer;
}

/** People of the project whose book it is. */
export function earners({ pool, book, addressHash }: Deps): Earners {
  return {
    find: async (personId) => {
      const { rows } = await pool.query<EarnerRow>(find, [book, personId]);
      return rows[0] ? earnerOf(rows[0]) : null;
    },
    list: (search, order) => listOf(pool, book, addressHash, search, order),
    rename: async (personId, name, now) => {
      if (name === null) await pool.query(unname, [book, personId]);
      else await pool.query(rename, [book, personId, name, now]);
    },
    installations: async (personId, now) => {
      const since = new Date(now.getTime() - INSTALLATION_DAYS * 86_400_000);
      const { rows } = await pool.query<InstallationRow>(installations, [
        book,
        personId,
        since,
        SHOWN_INSTALLATIONS_MAX,
      ]);
      return rows.map(installationOf);
    },
    blocks: async (personId) => {
      const { rows } = await pool.query<BlockRow>(blocks, [personId, BLOCKS_MAX]);
      return rows.map(blockOf);
    },
  };
}

async function listOf(
  pool: Queryable,
  book: ProjectId,
  addressHash: Deps['addressHash'],
  { telegramId, phone, name }: EarnerSearch,
  { limit, after }: PageOrder,
): Promise<Page<Earner>> {
  const values = [
    book,
    after,
    limit + 1,
    telegramId ?? null,
    phone === undefined ? null : addressHash(phone),
  ];
  const { rows } =
    name === undefined
      ? await pool.query<EarnerRow>(list, values)
      : await pool.query<EarnerRow>(listNamed, [...values, `${likeLiteral(name.toLowerCase())}%`]);
  const { rows: shown, next } = pageOf(rows, limit);
  return { rows: shown.map(earnerOf), next };
}

const likeLiteral = (text: string) => text.replaceAll(/[\\%_]/g, String.raw`\$&`);

interface EarnerRow {
  /** Of the recipient, in whose order they are listed. */
  readonly id: string;
  readonly person_id: string;
  readonly name: string | null;
  readonly phone: string | null;
  readonly telegram_id: string | null;
  readonly locale: string | null;
  readonly created_at: Date;
  readonly open_sessions: number;
  readonly last_session_at: Date | null;
  readonly blocked_at: Date | null;
}

const earnerOf = (row: EarnerRow): Earner => ({
  personId: row.person_id,
  name: row.name,
  phone: row.phone,
  telegramId: row.telegram_id,
  locale: Locale.nullable().parse(row.locale),
  createdAt: row.created_at,
  openSessions: row.open_sessions,
  lastSessionAt: row.last_session_at,
  blockedAt: row.blocked_at,
});

/** Of `recipient r`, by the indexes of the person. Test keys' people have no money. */
const columns = `
r.id, r.person_id, e.name, x.phone, x.telegram_id, r.locale, r.created_at, x.open_sessions, x.last_session_at, x.blocked_at`;
const ofPerson = `
join person p on p.id = r.person_id and p.mode = 'live'
left join earner e on e.project_id = r.project_id and e.person_id = r.person_id
cross join lateral (
  select (select h.phone from person_phone h where h.person_id = r.person_id order by h.proven_at desc, h.phone limit 1) as phone,
    (select c.telegram_id::text from person_chat c where c.person_id = r.person_id and c.mode = 'live' order by c.proven_at desc, c.telegram_id limit 1) as telegram_id,
    (select count(*)::int from traffic_session s where s.project_id = r.project_id and s.person_id = r.person_id and s.ended_at is null) as open_sessions,
    (select s.started_at from traffic_session s where s.project_id = r.project_id and s.person_id = r.person_id order by s.id desc limit 1) as last_session_at,
    (select b.made_at from payout_block b where b.person_id = r.person_id and b.reason = 'by-staff' and b.lifted_at is null limit 1) as blocked_at) x`;

const find = `
select ${columns} from recipient r ${ofPerson} where r.project_id = $1 and r.person_id = $2`;

const fits = `
r.project_id = $1 and r.person_id is not null and ($2::uuid is null or r.id < $2)
  and ($4::bigint is null or r.person_id = (select c.person_id from person_chat c where c.mode = 'live' and c.telegram_id = $4))
  and ($5::bytea is null or r.person_id = (select h.person_id from person_phone h where h.address_hash = $5))`;

const list = `
select ${columns} from recipient r ${ofPerson} where ${fits} order by r.id desc limit $3`;

/** Those of this name first, who are few, and then their recipients. */
const listNamed = `
select ${columns} from recipient r ${ofPerson}
where ${fits} and r.person_id = any (array(select n.person_id from earner n where n.project_id = $1 and lower(n.name) like $6))
order by r.id desc limit $3`;

const rename = `
insert into earner as e (project_id, person_id, name, named_at) values ($1, $2, $3, $4)
on conflict (project_id, person_id) do update set name = excluded.name, named_at = excluded.named_at`;
const unname = 'delete from earner where project_id = $1 and person_id = $2';

interface InstallationRow {
  readonly installation_id: string;
  readonly sessions: number;
  readonly last_session_at: Date;
}

const installationOf = (row: InstallationRow): Installation => ({
  id: row.installation_id,
  sessions: row.sessions,
  lastSessionAt: row.last_session_at,
});

const installations = `
select s.installation_id, count(*)::int as sessions, max(s.started_at) as last_session_at from traffic_session s
where s.project_id = $1 and s.person_id = $2 and s.started_at > $3 group by 1 order by 3 desc, 1 limit $4`;

interface BlockRow {
  readonly id: string;
  readonly reason: string;
  readonly by: string | null;
  readonly because: string | null;
  readonly made_at: Date;
  readonly until: Date | null;
  readonly lifted_at: Date | null;
  readonly lifted_by: string | null;
  readonly lifted_because: string | null;
}

const blockOf = (row: BlockRow): Block => ({
  id: row.id,
  reason: row.reason,
  by: row.by,
  because: row.because,
  madeAt: row.made_at,
  until: row.until,
  liftedAt: row.lifted_at,
  liftedBy: row.lifted_by,
  liftedBecause: row.lifted_because,
});

const blocks = `
select b.id, b.reason, m.email as by, b.because, b.made_at, b.until, b.lifted_at, l.email as lifted_by, b.lifted_because
from payout_block b left join staff m on m.id = b.by left join staff l on l.id = b.lifted_by
where b.person_id = $1 order by b.made_at desc, b.id desc limit $2`;
