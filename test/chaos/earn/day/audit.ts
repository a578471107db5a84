import type pg from 'pg';
import type { Reckoned } from './reckon.ts';

/** Each is a statement that must find nothing once all days are closed. */
const mustFindNothing: Readonly<Record<string, string>> = {
  'a session waits to be metered': `select id from traffic_session where job_id is not null`,
  'a job of traffic has no end': `select id from job where kind = 'traffic-report' and finished_at is null`,
  'a job of traffic ended otherwise than completed': `select id from job where kind = 'traffic-report' and state <> 'completed'`,
  'an attempt is open': `select job_id as id from attempt where outcome is null`,
  'a day is open': `select session_id as id from session_day where closed_at is null`,
  'a session has no end': `select id from traffic_session where ended_at is null`,
  'a day was paid without a gateway': `
    select session_id as id from session_day where posted_micros > 0 and gateway_bytes is null`,
  'a day was paid for more than a gateway carried': `
    select session_id as id from session_day where posted_micros > 0 and payable > gateway_bytes`,
  'a report outside its days is not told': `
    select session_id as id from session_day where unpaid_bytes(unpaid) <> bytes - case when verdict = 'pay' then payable else 0 end`,
  'a book does not add up': `
    select project_id as id from ledger_account group by project_id having sum(balance) <> 0`,
  'the days are not what the book says': `
    select 'sums' as id from (select coalesce(sum(posted_micros), 0) as days from session_day) d,
      (select coalesce(sum(amount), 0) as book from ledger_transfer where kind = 'earn') t where d.days <> t.book`,
};

export interface Verdict {
  readonly problems: readonly string[];
  /** Transfers, and what they come to in 10^-6 UZS. */
  readonly transfers: number;
  readonly micros: string;
}

interface Transfer {
  readonly key: string;
  readonly amount: string;
}

/** Holds the ledger against what was reckoned: each person and day, to the unit. */
export async function audit(owner: pg.Pool, reckoned: Reckoned): Promise<Verdict> {
  const problems: string[] = [];
  for (const [problem, sql] of Object.entries(mustFindNothing)) {
    const { rows } = await owner.query<{ id: string }>(`select id from (${sql}) found limit 3`);
    if (rows.length > 0) problems.push(`${problem}: ${rows.map(({ id }) => id).join(', ')}`);
  }
  const { rows } = await owner.query<Transfer>(
    `select key, amount from ledger_transfer where kind = 'earn' order by n`,
  );
  const booked = new Map<string, bigint>();
  for (const { key, amount } of rows) {
    const [, person, day] = /^earn:([^:]+):([^:]+)$/.exec(key) ?? [];
    if (person === undefined) problems.push(`a transfer under ${key}`);
    else booked.set(`${person} ${day}`, BigInt(amount));
  }
  for (const key of new Set([...booked.keys(), ...reckoned.keys()])) {
    const [has, should] = [booked.get(key) ?? 0n, reckoned.get(key) ?? 0n];
    if (has !== should) problems.push(`${key}: the ledger has ${has}, by the logs it is ${should}`);
  }
  const micros = [...booked.values()].reduce((sum, amount) => sum + amount, 0n);
  return { problems, transfers: rows.length, micros: String(micros) };
}
