import type { Mutation } from '../mutation.ts';

const ASKING = 'infra/postgres/pay/migrations/20261129180100-pay-asking.ts';
const CANCEL = 'infra/postgres/pay/migrations/20261130171000-pay-cancel-by-staff.ts';
const DUE = 'infra/postgres/pay/migrations/20261129194000-pay-due.ts';
const TABLES = 'infra/postgres/pay/migrations/20261129180000-pay-payouts.ts';
const inAsking = (name: string) => ({ file: 'test/infra/postgres/pay/payout/asking.test.ts', name });

export const askingMutations: readonly Mutation[] = [
  {
    name: 'the payee is not locked while their withdrawals are counted',
    edits: [
      {
        file: ASKING,
        from: `  perform pg_advisory_xact_lock(hashtextextended('payee:' || coalesce(person::text, of_phone), 0));\n  if of_source = 'api' then`,
        to: `  if of_source = 'api' then`,
      },
    ],
    test: inAsking('is one of three that are open, also when ten are asked at once'),
  },
  {
    name: 'a hold is released under a key of its own',
    edits: [{ file: ASKING, from: `else 'resolve:' end`, to: `else 'release:' end` }],
    test: inAsking('100 settlements and releases at once: one of them moves the money, once'),
  },
  {
    name: 'nothing is held',
    edits: [{ file: ASKING, from: `perform payout_post(book, array[made.id], 'hold', asker);`, to: '' }],
    test: inAsking('of the whole balance, asked 50 times at once, is there once'),
  },
  {
    name: 'the day of the limit is one of UTC',
    edits: [
      {
        file: ASKING,
        from: `((ledger_clock() at time zone 'Asia/Tashkent')::date)::timestamp at time zone 'Asia/Tashkent'`,
        to: `((ledger_clock() at time zone 'UTC')::date)::timestamp at time zone 'UTC'`,
      },
    ],
    test: inAsking('counts for its day in Tashkent, which ends at 19:00 UTC'),
  },
  {
    name: 'a card of anybody is paid',
    edits: [
      {
        file: ASKING,
        from: `d.rail <> of_rail\n     or (d.person_id = person or d.phone = of_phone) is not true then`,
        to: 'd.rail <> of_rail then',
      },
    ],
    test: inAsking('goes to a card of its person, bound a day ago, and neither removed nor distrusted'),
  },
  {
    name: 'a card is paid at once',
    edits: [{ file: ASKING, from: 'if d.usable_from > ledger_clock() then', to: 'if false then' }],
    test: inAsking('goes to a card of its person, bound a day ago, and neither removed nor distrusted'),
  },
  {
    name: 'a device is asked an hour after it was bound',
    edits: [
      {
        file: ASKING,
        from: 'and d.revoked_at is null and d.bound_at <= since)',
        to: 'and d.revoked_at is null)',
      },
    ],
    test: inAsking('of a day confirms; one that was bound or revoked an hour ago'),
  },
  {
    name: 'whoever revokes the device is asked nothing',
    edits: [
      { file: ASKING, from: '(d.revoked_at is null or d.revoked_at > since)', to: 'd.revoked_at is null' },
    ],
    test: inAsking('of a day confirms; one that was bound or revoked an hour ago'),
  },
  {
    name: 'a signature over another amount confirms',
    edits: [
      {
        file: ASKING,
        from: `a.statement::jsonb #>> '{context,payment,amount}' = p.gross::text and `,
        to: '',
      },
    ],
    test: { ...inAsking('that signed another amount confirms nothing'), isMade: true },
  },
  {
    name: 'a signature of anybody confirms',
    edits: [
      { file: ASKING, from: 'and a.person_id = p.person_id\n      and (a.result', to: 'and (a.result' },
    ],
    test: { ...inAsking('that signed another person confirms nothing'), isMade: true },
  },
  {
    name: 'what a device denied keeps its money held',
    edits: [
      {
        file: ASKING,
        from: `perform payout_post(p.project_id, array[p.id], 'release', 'person');`,
        to: '',
      },
    ],
    test: { ...inAsking('that said denied gives the money back in the same commit'), isMade: true },
  },
  {
    name: 'what nobody confirmed keeps its money held',
    edits: [{ file: DUE, from: `perform payout_post(book, late, 'release', 'housekeeping');`, to: '' }],
    test: inAsking('that never answers costs a quarter of an hour'),
  },
  {
    name: 'a block is not asked for',
    edits: [
      {
        file: ASKING,
        from: '  perform payout_refuse_person(person);\n  if exists (select from ledger_account',
        to: '  if exists (select from ledger_account',
      },
    ],
    test: inAsking('waits while its person is blocked, as after their phone was taken over'),
  },
  {
    name: 'what was cancelled keeps its money held',
    edits: [
      { file: CANCEL, from: `perform payout_post(p.project_id, array[p.id], 'release', actor);`, to: '' },
    ],
    test: {
      file: 'test/infra/postgres/pay/payout/storm.test.ts',
      name: 'whatever comes at once, nobody waits in a circle, and what is held is what is open',
    },
  },
  {
    name: 'the purpose of a payout may hold the number of a card',
    edits: [{ file: TABLES, from: '  purpose payout_text,', to: '  purpose text,' }],
    test: {
      file: 'test/infra/postgres/pay/payout/no-card.test.ts',
      name: 'takes the number of a card',
    },
  },
];
