import type pg from 'pg';
import { jobs } from '../../../../domain/jobs.ts';
import type { NoWork } from '../../../../domain/job/single.ts';
import type { LinkFacts, TriedWay } from '../../../../domain/pay/link/ways.ts';
import type { Locale } from '../../../../domain/shared/locale.ts';
import type { Phone } from '../../../../domain/shared/phone.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { Encryption } from '../../../process/crypto.ts';
import { type SingleJobRow, singleJobs } from '../../job/single.ts';

interface LinkRow extends SingleJobRow {
  readonly link_id: string;
  readonly token_encrypted: Buffer | null;
  readonly is_live: boolean;
  readonly has_moved: boolean;
  readonly is_reminder: boolean;
  readonly expires_at: Date;
  readonly phone: Phone;
  readonly gross: string;
  readonly payer: string;
  readonly purpose: string | null;
  readonly chat_id: string | null;
  readonly locale: Locale | null;
  readonly tried: readonly TriedWay[] | null;
}

/** Reads what a wake-up of `payout-link` needs. Whose the phone is, and where the bot reaches them, is asked anew each time. */
export const linkJobs = <Work>(
  pool: pg.Pool,
  encryption: Encryption,
  work: (facts: LinkFacts) => Work | NoWork | null,
) =>
  singleJobs<LinkRow, Work>(pool, {
    kind: 'payout-link',
    columns,
    joins,
    work: (row) =>
      jobs['payout-link'].payload.safeParse(row.payload).success ? work(factsOf(row, encryption)) : null,
  });

const columns = `
l.id link_id, l.token_encrypted, l.is_reminder, l.expires_at, p.phone, p.gross, p.purpose::text purpose,
  coalesce(o.settings ->> 'display_name', o.slug) payer,
  l.used_at is null and l.revoked_at is null and p.state = 'awaiting-card' is_live,
  coalesce(p.person_id is not null and f.person_id <> p.person_id, false) has_moved, c.chat_id, r.locale,
  case when j.attempts > 0 then (
    select json_agg(json_build_object('channel', a.channel, 'provider', a.provider, 'outcome', a.outcome, 'reason', a.reason) order by a.n)
    from attempt a where a.job_id = j.id) end tried`;

const joins = `
join payout_link l on l.id = j.subject_id join payout p on p.id = l.payout_id join project o on o.id = p.funder
left join person_phone f on f.address_hash = l.address_hash and f.phone = p.phone
left join lateral (
  select h.telegram_id::text chat_id from person_chat h left join telegram_chat t on t.chat_id = h.telegram_id
  where h.person_id = f.person_id and h.mode = 'live' and t.closed_reason is null order by h.proven_at desc limit 1) c on true
left join lateral (
  select n.locale from recipient n where n.project_id = '${PLATFORM_PROJECT_ID}' and n.person_id = f.person_id and n.locale is not null
  order by n.updated_at desc limit 1) r on true`;

const factsOf = (row: LinkRow, encryption: Encryption): LinkFacts => ({
  jobId: row.id,
  attempt: row.attempts + 1,
  isLive: row.is_live,
  hasMoved: row.has_moved,
  token: tokenOf(row, encryption),
  phone: row.phone,
  chatId: row.chat_id,
  locale: row.locale,
  payer: row.payer,
  amount: BigInt(row.gross),
  purpose: row.purpose,
  isReminder: row.is_reminder,
  expiresAt: row.expires_at,
  tried: row.tried ?? [],
});

/** One that can't be opened, as its key is gone, is no reason to stop the others: a day later its payee has a new one. */
function tokenOf(
  { token_encrypted: encrypted, link_id: id }: LinkRow,
  encryption: Encryption,
): string | null {
  if (encrypted === null) return null;
  try {
    return encryption.decrypt(encrypted, id);
  } catch {
    return null;
  }
}
