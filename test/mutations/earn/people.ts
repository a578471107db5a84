import type { Mutation } from '../mutation.ts';

const OWN_MONEY = 'infra/postgres/pay/migrations/20261130170300-pay-own-money.ts';
const BALANCES = 'infra/postgres/pay/migrations/20261130161000-pay-balances.ts';
const PEOPLE = 'infra/postgres/earn/migrations/20261130161100-earn-people.ts';
const STATS = 'infra/postgres/earn/stats/stats.ts';
const EARNERS = 'infra/postgres/earn/people/earners.ts';
const OWN = 'apps/api/pay/own-balance.ts';
const inBalances = (name: string) => ({ file: 'test/infra/postgres/pay/balance-verify.test.ts', name });
const inStats = (name: string) => ({ file: 'test/infra/postgres/earn/stats.test.ts', name });
const inPeople = (name: string) => ({ file: 'test/infra/postgres/earn/people.test.ts', name });
const inRoutes = (name: string) => ({ file: 'test/apps/api/earn/people.system.test.ts', name });

/** Figures, balances, and who may see and stop whom. */
export const peopleMutations: readonly Mutation[] = [
  {
    name: 'a balance is believed as it is kept',
    edits: [
      {
        file: BALANCES,
        from: 'greatest(abs(x.balance - x.moved), (x.version <> x.transfers)::int)',
        to: '0',
      },
    ],
    test: inBalances('one that somebody changed is not verified'),
  },
  {
    name: 'transfers are summed and not counted',
    edits: [{ file: BALANCES, from: '(x.version <> x.transfers)::int', to: '0' }],
    test: inBalances('two transfers that are gone and made up for each other are seen by their number'),
  },
  {
    name: 'what was taken back stays earned',
    edits: [{ file: STATS, from: 'd.micros - d.taken_micros + d.given_micros', to: 'd.micros' }],
    test: inStats('is paid or looked at, and what was taken back is not earned'),
  },
  {
    name: 'a page of days begins with the last row of the one before',
    edits: [{ file: STATS, from: 'd.day < $5)', to: 'd.day <= $5)' }],
    test: inStats('comes in pages that hold each row once'),
  },
  {
    name: 'days of a person are looked for in all days',
    edits: [{ file: STATS, from: 'd.person_id = $2', to: 'd.person_id::text = $2::uuid::text' }],
    test: inStats('is read by their own days, among ten thousand of others'),
  },
  {
    name: 'who is blocked starts sessions',
    edits: [{ file: PEOPLE, from: `b.reason = 'by-staff' and b.lifted_at is null) then`, to: 'false) then' }],
    test: inPeople('ends open sessions, and stops starts and withdrawals, until it is lifted'),
  },
  {
    name: 'a start beside a block leaves a session open',
    edits: [
      {
        file: PEOPLE,
        from: `perform pg_advisory_xact_lock(hashtextextended('traffic:' || of_person, 0));`,
        to: '',
      },
    ],
    test: inPeople('and a start at the same time leave no open session, whichever is first'),
  },
  {
    name: 'a member of staff unblocks themselves',
    edits: [
      {
        file: OWN_MONEY,
        from: 'if payout_owns(array[payout_block_lift.staff], person) then',
        to: 'if false then',
      },
    ],
    test: inPeople('is lifted by no member of staff who has the phone of the person'),
  },
  {
    name: 'people of test keys are among those who earn',
    edits: [{ file: EARNERS, from: ` and p.mode = 'live'\nleft join`, to: '\nleft join' }],
    test: inPeople('of test keys have no money, and are not among them'),
  },
  {
    name: 'whoever asks sees the balance of whoever they name',
    edits: [{ file: OWN, from: `if (asked !== 'me' &&`, to: `if (asked === '' &&` }],
    test: inRoutes('sees nothing of another, and of nobody the same'),
  },
];
