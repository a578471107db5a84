import type { Days } from '../../../../domain/earn/stats/days.ts';
import type { Figures, Stats } from '../../../../domain/earn/stats/port.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { Queryable } from '../../engine/transaction.ts';

/** Each reads the person's own days within the range, by their index, and no others. */
export function stats(pool: Queryable, book: ProjectId): Stats {
  const within = (personId: string, { from, to }: Days) => [book, personId, from, to];
  return {
    daily: async (personId, days, { after, limit }) => {
      const { rows } = await pool.query<DayRow>(daily, [...within(personId, days), after, limit + 1]);
      return cut(limit, rows, (row) => ({
        ...figuresOf(row),
        day: row.day,
        tiyinPerMb: row.tiyin_per_mb,
        isClosed: row.closed,
      }));
    },
    range: async (personId, days) => {
      const { rows } = await pool.query<RangeRow>(range, within(personId, days));
      const [row] = rows;
      if (!row) throw new Error('sums of nothing are a row, too');
      return { ...figuresOf(row), days: row.days };
    },
    devices: async (personId, days, { after, limit }) => {
      const { rows } = await pool.query<DeviceRow>(devices, [...within(personId, days), after, limit + 1]);
      return cut(limit, rows, (row) => ({
        ...figuresOf(row),
        installationId: row.installation_id,
        lastDay: row.last_day,
      }));
    },
    countries: async (personId, days, { after, limit }) => {
      const { rows } = await pool.query<CountryRow>(countries, [...within(personId, days), after, limit + 1]);
      return cut(limit, rows, (row) => ({
        ...figuresOf(row),
        country: row.country === '' ? null : row.country,
      }));
    },
  };
}

/** Of rows that were read with one more than `limit`. */
const cut = <Row, Out>(limit: number, rows: readonly Row[], of: (row: Row) => Out) => ({
  rows: rows.slice(0, limit).map(of),
  hasMore: rows.length > limit,
});

interface FiguresRow {
  readonly sessions: number;
  readonly bytes: string;
  readonly paid_bytes: string;
  readonly amount: string;
  readonly review: string;
}

const figuresOf = (row: FiguresRow): Figures => ({
  sessions: row.sessions,
  // Below 2^53: a year of three phones at 50 MB/s is 5 · 10^15.
  bytes: Number(row.bytes),
  paidBytes: Number(row.paid_bytes),
  amount: BigInt(row.amount),
  review: BigInt(row.review),
});

/** Of `session_day d`. */
const figures = `
count(distinct d.session_id)::int as sessions, coalesce(sum(d.bytes), 0)::text as bytes,
  coalesce(sum(d.payable) filter (where d.verdict = 'pay'), 0)::text as paid_bytes,
  floor(coalesce(sum(d.micros - d.taken_micros + d.given_micros) filter (where d.verdict = 'pay'), 0) / 10000.0)::bigint::text as amount,
  floor(coalesce(sum(d.micros) filter (where d.verdict = 'review'), 0) / 10000.0)::bigint::text as review`;

const ofPerson = `d.project_id = $1 and d.person_id = $2 and d.day between $3::date and $4::date`;

interface DayRow extends FiguresRow {
  readonly day: string;
  readonly tiyin_per_mb: number;
  readonly closed: boolean;
}

const daily = `
select d.day::text as day, max(d.tiyin_per_mb)::int as tiyin_per_mb, bool_and(d.closed_at is not null) as closed, ${figures}
from session_day d where ${ofPerson} and ($5::date is null or d.day < $5) group by d.day order by d.day desc limit $6`;

interface RangeRow extends FiguresRow {
  readonly days: number;
}

const range = `
select count(distinct d.day)::int as days, ${figures} from session_day d where ${ofPerson}`;

interface DeviceRow extends FiguresRow {
  readonly installation_id: string;
  readonly last_day: string;
}

const devices = `
select s.installation_id, max(d.day)::text as last_day, ${figures}
from session_day d join traffic_session s on s.id = d.session_id
where ${ofPerson} and ($5::uuid is null or s.installation_id > $5) group by s.installation_id order by s.installation_id limit $6`;

interface CountryRow extends FiguresRow {
  readonly country: string;
}

const countries = `
select coalesce(s.country, '') as country, ${figures}
from session_day d join traffic_session s on s.id = d.session_id
where ${ofPerson} and ($5::text is null or coalesce(s.country, '') > $5) group by 1 order by 1 limit $6`;
