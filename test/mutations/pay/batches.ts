import type { Mutation } from '../mutation.ts';

const BATCHES = 'infra/postgres/pay/migrations/20261129180200-pay-batches.ts';
const COUNT = 'infra/postgres/pay/migrations/20261130100000-pay-people-who-count.ts';
const OWN = 'infra/postgres/pay/migrations/20261130170300-pay-own-money.ts';
const MAKERS = 'infra/postgres/pay/migrations/20261129194400-pay-key-makers.ts';
const TABLES = 'infra/postgres/pay/migrations/20261129180000-pay-payouts.ts';
const tests = 'test/infra/postgres/pay/batch';
const inEyes = (name: string) => ({ file: `${tests}/four-eyes.test.ts`, name });
const inBatches = (name: string) => ({ file: `${tests}/batches.test.ts`, name });
const inRounds = (name: string) => ({ file: 'test/workers/pay/due.test.ts', name });
const inCount = (from: string, to: string) => [{ file: COUNT, from, to }];
const PROOF_AGE = 'infra/postgres/staff/migrations/20261129190200-staff-proof-age.ts';
const young = '(s.created_at > since or s.totp_bound_at > since)';
const PLANS = 'infra/postgres/pay/migrations/20261130171200-pay-plans-end.ts';
const inPlans = (from: string, to: string) => [{ file: PLANS, from, to }];
const inSql = (from: string, to: string) => [{ file: BATCHES, from, to }];

/** Each is a way in which one person pays themselves. */
export const batchMutations: readonly Mutation[] = [
  {
    name: 'a batch is approved in whatever version',
    edits: inSql('if b.version is distinct from of_version then', 'if false then'),
    test: inEyes('in a version that is not the newest, nor without one'),
  },
  {
    name: 'a proof is not bound to what it approves',
    edits: inCount(
      `sha256(convert_to(
    staff_proof_binds('batch.approve', b.id::text, b.version, encode(b.content_hash, 'hex'), b.count, b.total::text), 'UTF8'))`,
      '(select p.binds_hash from staff_proof p where p.id = proof)',
    ),
    test: { ...inEyes('by a proof of another batch'), isMade: true },
  },
  {
    name: 'a maker is who created it, and nobody else',
    edits: [
      { file: MAKERS, from: `('create', 'add', 'drop', 'import', 'submit', 'withdraw')`, to: `('create')` },
    ],
    test: inEyes('by who dropped one line of it, and is an admin by now'),
  },
  {
    name: 'who imported a list is no maker of its lines',
    edits: [
      {
        file: MAKERS,
        from: 'select l.imported_by from payout_list l where l.id in',
        to: 'select l.imported_by from payout_list l where false and l.id in',
      },
    ],
    test: inEyes('by who imported a list of which it has a line'),
  },
  {
    name: 'who made a key is no maker of what it asks for',
    edits: [{ file: MAKERS, from: 'where k.created_by is not null and', to: 'where false and' }],
    test: {
      file: 'test/apps/board/pay/batches.routes.test.ts',
      name: 'who made the key that asked for one of its payouts is a maker of the batch, and does not approve it',
    },
  },
  {
    name: 'makers approve',
    edits: inCount('if staff = any (handlers) then', 'if false then'),
    test: inEyes('by who made it'),
  },
  {
    name: 'one person approves twice',
    edits: inCount('if staff = any (before) then', 'if false then'),
    test: inEyes('of the same person, twice at once with two proofs'),
  },
  {
    name: 'what the approver read is not compared',
    edits: inCount(
      'if (read_hash, read_count, read_total) is distinct from (b.content_hash, b.count, b.total) then',
      'if false then',
    ),
    test: inEyes('where the count is right and the total is off by one tiyin'),
  },
  {
    name: 'an account of today approves',
    edits: inCount(`batch_approve.staff and ${young}`, 'batch_approve.staff and s.totp_bound_at > since'),
    test: inEyes('by an account that was made 23 h ago'),
  },
  {
    name: 'a second factor of today approves',
    edits: [
      ...inCount(
        `batch_approve.staff and ${young})\n     or exists (select from staff_proof p where p.id = proof and p.factor_at > since)`,
        'batch_approve.staff and s.created_at > since)',
      ),
      {
        file: PROOF_AGE,
        from: 'if exists (select from staff_proof p',
        to: 'if false and exists (select from staff_proof p',
      },
    ],
    test: inEyes('by an account that was made 23 h ago'),
  },
  {
    name: 'an approver pays themselves',
    edits: inCount('perform payout_batch_refuse_own(b.id, handlers || before || staff);', ''),
    test: { ...inEyes("that pays its approver's phone"), isMade: true },
  },
  {
    name: 'an approver pays a card of their own under another name',
    edits: [{ file: OWN, from: ' or i.token_hash = any (cards))', to: ')' }],
    test: { ...inEyes("that pays its approver's card"), isMade: true },
  },
  {
    name: 'lines are not screened again when they are approved',
    edits: inCount(`if b.state <> 'paused' then perform payout_batch_screen(b.id); end if;`, ''),
    test: inEyes('in which a destination was removed, or a person blocked, after it was submitted'),
  },
  {
    name: 'one person approves any amount',
    edits: inSql('then 2 else 1 end', 'then 1 else 1 end'),
    test: inEyes('are one up to 100 M UZS, and two above'),
  },
  {
    name: 'approvals of a version that was taken back count',
    edits: inCount(
      `    and a.version > coalesce((select max(x.version) from payout_action x where x.batch_id = b.id and x.action = 'submit'), 0)\n`,
      '',
    ),
    test: inEyes('of a version that was taken back count no more'),
  },
  {
    name: 'the batch is not locked',
    edits: inSql(
      'perform from payout_batch x where x.id = batch for no key update;',
      'perform from payout_batch x where x.id = batch;',
    ),
    test: inEyes('of two at once, where one is needed, one counts'),
  },
  {
    name: 'what runs is not compared with what was approved',
    edits: inSql(
      'if (select (c.hash, c.count, c.total) is distinct from (b.content_hash, b.count, b.total) from payout_batch_content(b.id) c) then',
      'if false then',
    ),
    test: inEyes('and changed past the triggers by the owner is neither approved, run nor resumed'),
  },
  {
    name: 'the hash does not cover where it goes',
    edits: inSql(` || ',' || encode(i.token_hash, 'hex')`, ''),
    test: inEyes('and changed past the triggers by the owner is neither approved, run nor resumed'),
  },
  {
    name: 'lines change after they were submitted',
    edits: [
      {
        file: TABLES,
        from: `if (new.batch_id, new.n, new.payout_id, new.net, new.token_hash, new.last4, new.person_id, new.phone)`,
        to: `if false and (new.batch_id, new.n, new.payout_id, new.net, new.token_hash, new.last4, new.person_id, new.phone)`,
      },
    ],
    test: inEyes('takes no line and loses none, as whoever it is asked'),
  },
  {
    name: 'everybody runs a batch',
    edits: inCount(
      `payout_batch_begin(batch, of_version, staff, array['finance'], array['approved'])`,
      `payout_batch_begin(batch, of_version, staff, array['finance', 'admin', 'operator', 'viewer'], array['approved'])`,
    ),
    test: inBatches('is for finance alone, of an approved batch in the version that was read'),
  },
  ...(
    [
      [
        'who was disabled counts as one of two people',
        's.disabled_at is null and s.role in',
        's.role in',
        'whose account was disabled',
      ],
      [
        'who has any role counts as one of two people',
        ` and s.role in ('finance', 'admin')) $$;`,
        ') $$;',
        'who has another role',
      ],
      [
        'an approval counts by a second factor that was reset',
        `date_trunc('milliseconds', s.totp_bound_at) = date_trunc('milliseconds', p.factor_at)`,
        'true',
        'whose second factor was reset',
      ],
    ] as const
  ).map(([name, from, to, who]) => ({
    name,
    edits: inCount(from, to),
    test: { ...inEyes(`as the first of two: not of one ${who}`), isMade: true },
  })),
  {
    name: 'a batch is run by approvals that count no more',
    edits: inCount(
      '  perform payout_batch_refuse_unapproved(b);\n  perform payout_batch_refuse_changed(b);\n  if is_later',
      '  perform payout_batch_refuse_changed(b);\n  if is_later',
    ),
    test: { ...inEyes('as it is run or planned: not of one whose account was disabled'), isMade: true },
  },
  {
    name: 'a planned batch starts by approvals that count no more',
    edits: inPlans('      perform payout_batch_refuse_unapproved(b);\n', ''),
    test: inEyes('as its time has come: the plan ends, and says why'),
  },
  {
    name: 'a batch goes on by approvals that count no more',
    edits: inCount(
      '  perform payout_batch_refuse_unapproved(b);\n  perform payout_batch_refuse_changed(b);\n  update',
      '  perform payout_batch_refuse_changed(b);\n  update',
    ),
    test: inEyes('as it is resumed: a batch that was paused, with lines on their way, is approved anew'),
  },
  {
    name: 'whoever approved once approves anew',
    edits: inCount('if staff = any (before) then', 'if false then'),
    test: inEyes('and is not given anew by the same person, nor where none is missing'),
  },
  {
    name: 'a correction is agreed to whoever asked',
    edits: [{ file: OWN, from: 'if not payout_staff_counts(c.asked_by) then', to: 'if false then' }],
    test: {
      file: 'test/apps/board/pay/corrections.routes.test.ts',
      name: 'one that was asked by somebody who counts no more is withdrawn and asked again',
    },
  },
  {
    name: 'a plan outlives the rights of its planner',
    edits: inPlans('s.id = planner and s.disabled_at is null', 's.id = planner'),
    test: inBatches('at a time starts then, once, and not when its planner may not run any more'),
  },
  {
    name: 'a planned batch over a difference takes the place of another',
    edits: inPlans(' and payout_run_blocked(x.project_id, x.rail) is null', ''),
    test: inRounds('a batch of a rail with an unexplained difference stays planned'),
  },
  {
    name: 'a planned batch runs whatever its rows are by now',
    edits: inPlans('      perform payout_batch_refuse_changed(b);\n', ''),
    test: inRounds('a batch whose rows were changed does not start'),
  },
  {
    name: 'a batch goes on after its rest was cancelled',
    edits: inPlans(`a.action = 'cancel-rest') then`, `a.action = 'none') then`),
    test: inBatches('of what is on its way stays until it has its end'),
  },
];
