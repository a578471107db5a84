/** 1 tiyin in the unit of the ledger. */
const MICROS = 10_000;
/** A call that had its leave in front of a stop is at the rail by then. */
const STOPPED_AFTER_MS = 1_000;

/** What was turned away at the door was no call: whoever signs in anew comes again. */
const WAS_LET_IN = `l.id not in (select e.id from audit_line e where e.t = 'end' and e.status = '401')`;

/** Names and statements, each of which must find nothing at rest. `audit_…` are what `auditor.ts` made of the rail's log. */
export const mustFindNothing: Readonly<Record<string, string>> = {
  'paid twice': `
    select coalesce(a.payout_id::text, a.reference) id from audit_applied a group by 1 having count(*) > 1`,
  'one uuid was paid twice': `
    select a.uuid id from audit_applied a group by 1 having count(distinct a.reference) > 1`,
  'said to be paid, and not in the log': `
    select p.id::text from payout p where p.state in ('paid', 'returned') and p.rail = 'multicard'
      and not exists (select from audit_applied a where a.payout_id = p.id)`,
  'in the log, and not said to be paid': `
    select coalesce(a.payout_id::text, a.reference) id from audit_applied a where a.state is null or a.state not in ('paid', 'returned')`,
  'another amount left than was approved': `
    select a.payout_id::text id from audit_applied a
    where (a.amount, a.commission, a.total) is distinct from (a.net, a.said_commission, a.net + a.said_commission)`,
  'kept under another uuid than the rail has': `
    select a.payout_id::text id from audit_applied a where a.uuid is distinct from a.rail_uuid`,
  'returned, and the rail took nothing back': `
    select p.id::text from payout p where p.state = 'returned' and not exists (
      select from audit_applied a join audit_line l on l.uuid = a.uuid and l.t = 'moved' and l.status = 'revert' where a.payout_id = p.id)`,
  'a line without an end': `
    select i.batch_id || '/' || i.n id from payout_item i where i.state in ('ready', 'dispatched')`,
  'a line says something else than its payout or its dispatch': `
    select i.batch_id || '/' || i.n id from payout_item i join payout p on p.id = i.payout_id left join payout_dispatch d on d.id = i.dispatch_id
    where i.state in ('paid', 'failed', 'returned') and (p.state <> i.state or d.state is distinct from i.state)`,
  'a batch is not done': `
    select b.id::text from payout_batch b where b.state in ('running', 'paused')`,
  'a call is open': `
    select c.dispatch_id || '/' || c.n id from rail_call c where c.closed_at is null`,
  'a draft that was never committed as a call': `
    select l.reference id from audit_line l
    where l.t = 'draft' and not exists (select from rail_call c where c.what = 'draft' and c.reference = l.reference)`,
  'more drafts than calls': `
    select l.reference id from audit_line l
    where l.t = 'begin' and l.method = 'POST' and l.path = '/payment/credit' and ${WAS_LET_IN} group by 1
    having count(*) > (select count(*) from rail_call c where c.reference = l.reference and c.what = 'draft' and c.outcome <> 'unsent')`,
  'more confirmations than calls': `
    select l.path id from audit_line l
    where l.t = 'begin' and l.method = 'PUT' and l.path like '/payment/credit/%' and ${WAS_LET_IN} group by 1
    having count(*) > (
      select count(*) from payout_dispatch d join rail_call c on c.dispatch_id = d.id and c.what = 'confirm' and c.outcome <> 'unsent'
      where d.rail_uuid = split_part(l.path, '/', 4) and c.rail_uuid = d.rail_uuid)`,
  'called while the rail was stopped': `
    select l.at || ' ' || l.method || ' ' || l.path id from audit_line l
    join audit_stop s on l.at > s.answered_ms + ${STOPPED_AFTER_MS} and l.at < s.opened_ms
    where l.t = 'begin' and l.method in ('POST', 'PUT') and l.path like '/payment/credit%'`,
  'more left by the rail than by the ledger, or less': `
    with log as (select coalesce(sum(total), 0) * ${MICROS} said from audit_applied),
    ledger as (
      select coalesce(sum(t.amount), 0) said from ledger_transfer t join ledger_account a on a.id = t.credit and a.class = 'clearing' and a.rail = 'multicard'
      where t.kind in ('pay', 'commission'))
    select log.said || ' by the log, ' || ledger.said || ' by the ledger' id from log, ledger where log.said <> ledger.said`,
  'more came back in the ledger than was returned, or less': `
    with log as (select coalesce(sum(a.net), 0) * ${MICROS} said from audit_applied a where a.state = 'returned'),
    ledger as (
      select coalesce(sum(t.amount), 0) said from ledger_transfer t join ledger_account a on a.id = t.debit and a.class = 'clearing' and a.rail = 'multicard'
      where t.kind = 'return')
    select log.said || ' by the log, ' || ledger.said || ' by the ledger' id from log, ledger where log.said <> ledger.said`,
  'more is held than is open, or less': `
    with held as (
      select a.project_id, sum(a.balance) said from ledger_account a where a.class in ('held', 'funded-held') group by 1),
    open as (
      select p.project_id, sum(p.gross) * ${MICROS} said from payout p
      where p.state in ('confirming', 'awaiting-card', 'pending', 'batched') group by 1)
    select project_id::text id from held full join open using (project_id)
    where coalesce(held.said, 0) <> coalesce(open.said, 0)`,
  'an end that the ledger does not have so': `
    select p.id::text from payout p left join ledger_transfer t on t.project_id = p.project_id and t.key = 'resolve:' || p.id
    where p.state in ('paid', 'returned', 'failed') and (t.kind, t.amount) is distinct from (
      case when p.state = 'failed' then 'release' else 'pay' end, case when p.state = 'failed' then p.gross else p.net end * ${MICROS})`,
  'a book that is not zero': `
    select a.project_id::text id from ledger_account a group by 1 having sum(a.balance) <> 0`,
  'a balance that its transfers do not make': `
    with moved as (
      select account, sum(amount) amount from (
        select credit account, amount from ledger_transfer union all select debit, -amount from ledger_transfer) t group by 1)
    select a.id::text from ledger_account a left join moved m on m.account = a.id where a.balance <> coalesce(m.amount, 0)`,
  'a number that is missing in a book': `
    select b.project_id::text id from ledger_book b
    where b.next_n - 1 <> (select count(*) from ledger_transfer t where t.project_id = b.project_id)`,
  'more between a claim and a known end than may be': `
    select x.rail || ': ' || x.n id from audit_exposed x join rail r on r.id = x.rail group by x.rail, x.n, r.exposure_max having x.n > r.exposure_max`,
};
