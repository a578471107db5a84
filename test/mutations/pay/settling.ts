import type { Mutation } from '../mutation.ts';

const migrations = 'infra/postgres/pay/migrations';
const ITEMS = `${migrations}/20261129194100-pay-settle-items.ts`;
const OWN = `${migrations}/20261130170300-pay-own-money.ts`;
const SETTLED = `${migrations}/20261130101000-pay-settled-as-asked.ts`;
const inItems = (name: string) => ({ file: 'test/infra/postgres/pay/bank-file/settle-items.test.ts', name });
const alone = 'alone, as another outcome than was asked, without evidence, of another role';
const asBefore = 'as another outcome than they proved, though somebody asked for that since';

/** What became of a payment of a bank's file, as two people say. */
export const settlingMutations: readonly Mutation[] = [
  {
    name: 'one person settles a payment of a file',
    edits: [{ file: OWN, from: 'if asked.staff_id = staff then', to: 'if false then' }],
    test: inItems(alone),
  },
  {
    name: 'an operator says what became of a payment',
    edits: [
      {
        file: ITEMS,
        from: `payout_staff_may(staff, array['finance', 'admin'])`,
        to: `payout_staff_may(staff, array['finance', 'admin', 'operator'])`,
      },
    ],
    test: inItems(alone),
  },
  {
    name: 'a payment is settled without evidence',
    edits: [{ file: ITEMS, from: ` or coalesce(btrim(evidence), '') = ''`, to: '' }],
    test: inItems(alone),
  },
  {
    name: 'the proof of who settles a payment of a file is not used',
    edits: [
      {
        file: SETTLED,
        from: `perform staff_proof_use(proof, staff, sha256(convert_to(\n    staff_proof_binds('money.correct', p.id::text`,
        to: `perform (sha256(convert_to(\n    staff_proof_binds('money.correct', p.id::text`,
      },
    ],
    test: inItems(alone),
  },
  {
    name: 'an account of today settles',
    edits: [
      {
        file: OWN,
        from: `(s.created_at > ledger_clock() - interval '\${APPROVER_AGE}' or`,
        to: '(false or',
      },
    ],
    test: inItems(alone),
  },
  {
    name: 'a proof for one outcome is good for the other',
    edits: [
      {
        file: SETTLED,
        from: `asked.id || e'\\\\n' || asked.action || e'\\\\n' || coalesce(asked.reason, '')`,
        to: `'x'`,
      },
    ],
    test: inItems(asBefore),
  },
  {
    name: 'what was said before is agreed to',
    edits: [
      {
        file: OWN,
        from: `case when what like 'settle-%' then array['settle-paid-asked', 'settle-failed-asked'] else array[what || '-asked'] end`,
        to: `array[what || '-asked']`,
      },
    ],
    test: inItems(asBefore),
  },
  {
    name: 'what somebody said who counts no more is agreed to',
    edits: [
      {
        file: OWN,
        from: ' and a.at >= from_at and payout_staff_counts(a.staff_id)',
        to: ' and a.at >= from_at',
      },
    ],
    test: inItems('as somebody asked who counts no more, until another asks'),
  },
  {
    name: 'a payment is settled while a statement may have it',
    edits: [
      {
        file: ITEMS,
        from: `if d.state_at > ledger_clock() - interval`,
        to: 'if false and d.state_at > ledger_clock() - interval',
      },
    ],
    test: inItems('before a statement could have it, nor what it has'),
  },
  {
    name: 'a payment that has its end is settled',
    edits: [{ file: ITEMS, from: `if item_state <> 'dispatched' then`, to: 'if false then' }],
    test: inItems('before a statement could have it, nor what it has'),
  },
  {
    name: 'what failed stays a difference',
    edits: [{ file: SETTLED, from: `if outcome = 'failed' then`, to: 'if false then' }],
    test: inItems('what the bank refused is settled by two people as failed'),
  },
  {
    name: 'a payment of a file is settled by one whose money it is',
    edits: [
      {
        file: OWN,
        from: '(i.dispatch_id = of_subject::uuid or i.payout_id = of_subject::uuid)',
        to: 'i.dispatch_id = of_subject::uuid',
      },
    ],
    test: inItems('the money of one of them'),
  },
];
