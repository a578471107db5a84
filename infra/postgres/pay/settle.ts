import { finalStates } from '../../../domain/job/job.ts';
import type { EndingSql, Settle } from '../job/settle.ts';

/** Nobody tries a payment again from a board: its dispatch decides, and has an approval of its own. */
export const paySettle: Settle = { waitsUntil: () => 'null::timestamptz' };

const final = finalStates.map((state) => `'${state}'`).join(', ');

/** In the commit in which its job ends a link has left, or reached nobody; either way nothing has to send it any more, and its token is forgotten. */
const linkEnds: EndingSql = {
  name: 'payout-link',
  held: `
ending_links as materialized (
  select l.id, l.job_id from payout_link l where (l.id, l.job_id) in (
    select j.subject_id, j.id from w join job j on j.id = w.job_id where w.state in (${final}))
  order by l.id for no key update),`,
  lastHeld: 'ending_links',
  settled: `,
ended_links as (
  update payout_link l set token_encrypted = null,
    channel = case when moved.state = 'completed' then (select a.channel from attempt a where a.job_id = l.job_id order by a.n desc limit 1) end,
    sent_at = case when moved.state = 'completed' then $2::timestamptz end,
    failed_at = case when moved.state <> 'completed' then $2::timestamptz end
  from ending_links e join moved on moved.id = e.job_id where l.id = e.id and moved.state in (${final}))`,
};

/** The engine ends what is late without `ending`. */
const linksExpire = `
with late as (
  select id from payout_link where token_encrypted is not null and expires_at < $2 order by expires_at limit $3 for update skip locked)
update payout_link l set token_encrypted = null, failed_at = $1 from late where l.id = late.id`;

export const linkSettle: Settle = {
  ending: linkEnds,
  waitsUntil: () => 'null::timestamptz',
  expire: linksExpire,
};
