import type { Mutation } from '../mutation.ts';
import { liveMutations } from './live.ts';

const METER = 'domain/earn/traffic/meter.ts';
const COUNTERPART = 'domain/earn/traffic/counterpart.ts';
const METER_JOB = 'workers/earn/meter.ts';
const PRICES = 'infra/postgres/earn/migrations/20261130180200-earn-price-climb.ts';
const DEBT_KEYS = 'infra/postgres/earn/migrations/20261130165000-earn-debt-keys.ts';
const UNMETERABLE = 'infra/postgres/earn/migrations/20261130181000-earn-unmeterable.ts';
const ROUTES = 'apps/api/earn/traffic.routes.ts';
const inMeter = (name: string) => ({ file: 'test/domain/earn/traffic/meter.test.ts', name });
const inCounterpart = (name: string) => ({ file: 'test/domain/earn/traffic/counterpart.test.ts', name });
const inDays = (name: string) => ({ file: 'test/infra/postgres/earn/days.test.ts', name });
const inTicks = (name: string) => ({ file: 'test/workers/earn/ticks.test.ts', name });
const inPrices = (name: string) => ({ file: 'test/infra/postgres/earn/prices.test.ts', name });
const ASSESS = 'domain/earn/address/assess.ts';
const CLASS = 'domain/earn/address/class.ts';
const ADDRESSES = 'infra/postgres/earn/migrations/20261130160000-earn-addresses.ts';
const APPEALS = 'infra/postgres/earn/migrations/20261130160100-earn-appeals.ts';
const DECIDED = 'infra/postgres/earn/migrations/20261130180000-earn-decided.ts';
const DECIDE_LIMIT = 'infra/postgres/earn/migrations/20261130180300-earn-decide-limit.ts';
const inAssess = (name: string) => ({ file: 'test/domain/earn/address/assess.test.ts', name });
const inClass = (name: string) => ({ file: 'test/domain/earn/address/class.test.ts', name });
const inAddresses = (name: string) => ({ file: 'test/infra/postgres/earn/addresses.test.ts', name });
const inAppeals = (name: string) => ({ file: 'test/infra/postgres/earn/appeals.test.ts', name });
const inRoutes = (name: string) => ({ file: 'test/apps/api/earn/traffic.system.test.ts', name });

const metering: readonly Mutation[] = [
  {
    name: 'traffic counts to the day of UTC',
    edits: [
      {
        file: METER,
        from: 'day: tashkentDay(new Date(Math.min(Math.max(measuredMs, startsMs), endsMs))),',
        to: 'day: new Date(Math.min(Math.max(measuredMs, startsMs), endsMs)).toISOString().slice(0, 10),',
      },
    ],
    test: inMeter('has the bytes of an interval on the day of Tashkent on which it ended'),
  },
  {
    name: 'each report is rounded down by itself',
    edits: [
      {
        file: METER,
        from: 'const counted = new Map<string, bigint>();',
        to: 'const counted = new Map<string, bigint>(); const floors = new Map<string, bigint>();',
      },
      {
        file: METER,
        from: 'counted.set(day, (counted.get(day) ?? 0n) + growth);',
        to: 'counted.set(day, (counted.get(day) ?? 0n) + growth); floors.set(day, (floors.get(day) ?? 0n) + (growth * 150n) / 100n);',
      },
      { file: METER, from: 'return { counted, missed:', to: 'return { counted, floors, missed:' },
      {
        file: METER,
        from: 'function dayOf(day: string, { counted, missed }: Walked,',
        to: 'function dayOf(day: string, { counted, missed, floors }: Walked & { floors: Map<string, bigint> },',
      },
      {
        file: METER,
        from: 'const micros = microsOf(payable, tiyinPerMb);',
        to: 'const micros = floors.get(day) ?? microsOf(payable, tiyinPerMb);',
      },
    ],
    test: inMeter('is rounded down once a day, and not at each report'),
  },
  {
    name: 'what comes after a close counts on the next day',
    edits: [
      {
        file: METER,
        from: 'const ownMs = Math.min(closesAt(day).getTime(), deadlineMs);',
        to: 'const ownMs = closesAt(day).getTime();',
      },
    ],
    test: inMeter('that came after a day had closed does not move its bytes to the next day'),
  },
  {
    name: 'what gateways say is ignored',
    edits: [
      {
        file: COUNTERPART,
        from: `if (doubt === null || policy === 'pay') return`,
        to: 'if (doubt !== undefined) return',
      },
    ],
    test: inCounterpart('without a gateway the project says what becomes of it'),
  },
];

const jobs: readonly Mutation[] = [
  {
    name: 'a job meters no more than its first two hundred sessions',
    edits: [{ file: METER_JOB, from: 'while (after !== null && !signal.aborted);', to: 'while (false);' }],
    test: inTicks('a job meters all sessions that wait for it'),
  },
];

const closing: readonly Mutation[] = [
  {
    name: 'a day is closed without a key of its own',
    edits: [
      {
        file: UNMETERABLE,
        from: `array(select 'earn:' || p || ':' || of_day from`,
        to: `array(select 'earn:' || p || ':' || gen_random_uuid() from`,
      },
    ],
    test: inDays('closes three days later, into one transfer for each person and no second one'),
  },
  {
    name: 'a day is closed while reports of it wait to be metered',
    edits: [{ file: UNMETERABLE, from: 's.job_id is not null', to: 's.job_id is null and s.id is null' }],
    test: inDays('waits for who has reports that are to be metered, and closes for the others'),
  },
  {
    name: 'a debt is forgotten when a day is closed',
    edits: [{ file: DEBT_KEYS, from: 'where a.balance < 0;', to: 'where false;' }],
    test: inDays('pays what a person owes first'),
  },
];

const doors: readonly Mutation[] = [
  {
    name: 'one person changes the price as they like',
    edits: [{ file: PRICES, from: 'or abs(tiyin - base', to: 'or false and abs(tiyin - base' }],
    test: inPrices('that changes much is agreed to by another person, once, before its day begins'),
  },
  {
    name: 'a session of any project starts traffic',
    edits: [
      {
        file: ROUTES,
        from: `for a day at most.',\n    session: 'earner',`,
        to: `for a day at most.',\n    session: 'project',`,
      },
    ],
    test: inRoutes('with a session of another project, or of a test key, is refused'),
  },
];

const addresses: readonly Mutation[] = [
  {
    name: 'data of any age decides',
    edits: [
      {
        file: ASSESS,
        from: 'verdictOn(known, isRead && isOld(evidence.dataAt, now), rules)',
        to: 'verdictOn(known, false, rules)',
      },
    ],
    test: inAssess('31 days old says review'),
  },
  {
    name: 'one proxy behind a mobile address costs all its phones their pay',
    edits: [
      {
        file: CLASS,
        from: `if ((isCarrierNat || isMobile(facts)) && !isHosting && !isVpn) return 'mobile';`,
        to: `if ((isCarrierNat || isMobile(facts)) && !isHosting && !isVpn && !facts.isPublicProxy) return 'mobile';`,
      },
    ],
    test: { ...inClass('mobile where it is mobile, and one of its phones is a proxy'), isMade: true },
  },
  {
    name: 'the last address of a session counts in place of the strictest',
    edits: [
      {
        file: ADDRESSES,
        from: `order by a.verdict = 'unpaid' desc, a.first_at, a.address limit 1`,
        to: 'order by a.seen_at desc limit 1',
      },
    ],
    test: inAddresses(
      'has the strictest of its addresses, in whatever order they came, and a record for each change',
    ),
  },
  {
    name: 'an appeal that was answered is answered again',
    edits: [{ file: DECIDED, from: `if a.state <> 'open' then return`, to: `if false then return` }],
    test: inAppeals('that is upheld leaves the day unpaid, whatever is metered after that'),
  },
  {
    name: 'one person decides days of any sum',
    edits: [
      {
        file: DECIDE_LIMIT,
        from: `if pays then perform earn_refuse_much`,
        to: `if false then perform earn_refuse_much`,
      },
    ],
    test: inAppeals(
      'is made by one person for so much money in a day, also by many at once; then another decides',
    ),
  },
  {
    name: 'staff decide about their own money',
    edits: [
      { file: APPEALS, from: 'perform earn_refuse_own(new.staff_id, d.person_id) from', to: 'perform from' },
    ],
    test: inAppeals('is made by nobody about their own money, and nothing of theirs is taken back by them'),
  },
];

export const earnMutations: readonly Mutation[] = [
  ...metering,
  ...jobs,
  ...closing,
  ...doors,
  ...addresses,
  ...liveMutations,
];
