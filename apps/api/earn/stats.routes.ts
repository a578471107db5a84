import { z } from 'zod';
import { type Days, daysAsked, STATS_DAYS_DEFAULT, STATS_DAYS_MAX } from '../../../domain/earn/stats/days.ts';
import type {
  CountryFigures,
  DayFigures,
  DeviceFigures,
  Figures,
  Stats,
} from '../../../domain/earn/stats/port.ts';
import { tashkentDay } from '../../../domain/pay/ledger/head.ts';
import { Day } from '../../http/fields.ts';
import { pageQuery } from '../../http/page.ts';
import { tiyin } from '../../http/pay/fields.ts';
import { Problem } from '../../http/problem.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';

const tag = 'Statistics';
const INSTALLATION = '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b23';

export interface StatsDeps {
  readonly stats: Stats;
}

export const statsRoutes = (deps: StatsDeps): Route[] => [
  daily(deps),
  range(deps),
  devices(deps),
  countries(deps),
];

const daysQuery = {
  from: Day.optional().meta({
    description: `The first day, of Asia/Tashkent: ${STATS_DAYS_DEFAULT} days up to \`to\` where it is left out. ${STATS_DAYS_MAX} days at most.`,
    example: '2026-01-01',
  }),
  to: Day.optional().meta({
    description: 'The last day, of Asia/Tashkent: today where it is left out.',
    example: '2026-01-31',
  }),
};

/** @throws Problem 400 that names the field. */
function daysOf(query: { from?: string | undefined; to?: string | undefined }, now: Date): Days {
  const asked = daysAsked(query, tashkentDay(now));
  if (asked.ok) return asked.days;
  throw new Problem(400, 'invalid-request', 'The days do not fit.', {
    errors: [{ pointer: asked.field, detail: asked.expected }],
  });
}

/** Of lists that go on after what their last row is known by. */
const sliceQuery = <After extends z.ZodType<string>>(after: After, example: string) => ({
  limit: pageQuery.limit,
  after: after.optional().meta({ description: '`next_after` of the page before.', example }),
});
const sliceOf = ({ limit, after }: { limit: number; after?: string | undefined }) => ({
  limit,
  after: after ?? null,
});

const bytesSum = (what: string) =>
  z
    .int()
    .min(0)
    .meta({ description: `${what}, in bytes.` });

const figuresShape = {
  sessions: z.int().min(0).meta({ description: 'Sessions whose bytes count here.' }),
  bytes: bytesSum('What the phones reported'),
  paid_bytes: bytesSum('Of them, what is paid with the close of its day, or was'),
  amount: tiyin('What these earn, less what was taken back.'),
  review: tiyin('What a person looks at first: it is in `amount` once it is paid.'),
};

const figuresBody = ({ sessions, bytes, paidBytes, amount, review }: Figures) => ({
  sessions,
  bytes,
  paid_bytes: paidBytes,
  amount: amount.toString(),
  review: review.toString(),
});

const nextAfter = (example: string) =>
  z
    .string()
    .nullable()
    .meta({ description: 'Send it as `after` for the next page; null on the last.', example });

const rangeShape = {
  from: z.iso.date().meta({ description: 'The first day, of Asia/Tashkent.' }),
  to: z.iso.date().meta({ description: 'The last day, of Asia/Tashkent.' }),
};

const listSchema = <Row extends z.ZodType>(row: Row, example: string) =>
  z.object({ ...rangeShape, data: z.array(row), next_after: nextAfter(example) });

const DayRow = z.object({
  day: z.iso.date().meta({ description: 'Of Asia/Tashkent.' }),
  tiyin_per_mb: z.int().meta({ description: 'The price of the day, for 10^6 bytes.' }),
  closed: z.boolean().meta({ description: 'Its money is in the balance.' }),
  ...figuresShape,
});

const dayRow = (one: DayFigures) => ({
  day: one.day,
  tiyin_per_mb: one.tiyinPerMb,
  closed: one.isClosed,
  ...figuresBody(one),
});

const daily = ({ stats }: StatsDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/stats/daily',
    tag,
    summary: 'Show traffic day by day',
    description: 'The caller’s own. Days without traffic are left out.',
    session: 'earner',
    query: z.object({ ...daysQuery, ...sliceQuery(Day, '2026-01-02') }),
    answers: { 200: { description: 'The newest day first.', schema: listSchema(DayRow, '2026-01-02') } },
    async handle({ query, person, now }) {
      const days = daysOf(query, now);
      const { rows, hasMore } = await stats.daily(person.personId, days, sliceOf(query));
      const next = hasMore ? (rows.at(-1)?.day ?? null) : null;
      return { status: 200, body: { ...days, data: rows.map(dayRow), next_after: next } };
    },
  });

const RangeBody = z.object({
  ...rangeShape,
  days: z.int().meta({ description: 'Days on which traffic counts.' }),
  ...figuresShape,
});

const range = ({ stats }: StatsDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/stats/range',
    tag,
    summary: 'Sum up traffic over days',
    description: 'The caller’s own.',
    session: 'earner',
    query: z.object(daysQuery),
    answers: { 200: { description: 'All of these days together.', schema: RangeBody } },
    async handle({ query, person, now }) {
      const days = daysOf(query, now);
      const one = await stats.range(person.personId, days);
      return { status: 200, body: { ...days, days: one.days, ...figuresBody(one) } };
    },
  });

const DeviceRow = z.object({
  installation_id: z.uuid(),
  last_day: z.iso.date().meta({ description: 'The last of these days on which it shared.' }),
  ...figuresShape,
});

const deviceRow = (one: DeviceFigures) => ({
  installation_id: one.installationId,
  last_day: one.lastDay,
  ...figuresBody(one),
});

const devices = ({ stats }: StatsDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/stats/devices',
    tag,
    summary: 'Sum up traffic by installation',
    description: 'The caller’s own installations of the app.',
    session: 'earner',
    query: z.object({ ...daysQuery, ...sliceQuery(z.uuid(), INSTALLATION) }),
    answers: {
      200: { description: 'In the order of their ids.', schema: listSchema(DeviceRow, INSTALLATION) },
    },
    async handle({ query, person, now }) {
      const days = daysOf(query, now);
      const { rows, hasMore } = await stats.devices(person.personId, days, sliceOf(query));
      const next = hasMore ? (rows.at(-1)?.installationId ?? null) : null;
      return { status: 200, body: { ...days, data: rows.map(deviceRow), next_after: next } };
    },
  });

/** As `after` names what is null in a row. */
const UNKNOWN = 'unknown';
const CountryAfter = z.string().regex(/^([A-Z]{2}|unknown)$/, 'expected the next_after of an earlier answer');

const CountryRow = z.object({
  country: z
    .string()
    .nullable()
    .meta({ description: 'ISO 3166-1 alpha-2; null where it is unknown.', example: 'UZ' }),
  ...figuresShape,
});

const countryRow = (one: CountryFigures) => ({ country: one.country, ...figuresBody(one) });

const countries = ({ stats }: StatsDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/stats/countries',
    tag,
    summary: 'Sum up traffic by country',
    description: 'The caller’s own, by the country of the address with which each session began.',
    session: 'earner',
    query: z.object({ ...daysQuery, ...sliceQuery(CountryAfter, 'UZ') }),
    answers: {
      200: {
        description: 'What is unknown first, then in the order of the codes.',
        schema: listSchema(CountryRow, 'UZ'),
      },
    },
    async handle({ query, person, now }) {
      const days = daysOf(query, now);
      const { limit, after } = sliceOf(query);
      const slice = { limit, after: after === UNKNOWN ? '' : after };
      const { rows, hasMore } = await stats.countries(person.personId, days, slice);
      const next = hasMore ? (rows.at(-1)?.country ?? UNKNOWN) : null;
      return { status: 200, body: { ...days, data: rows.map(countryRow), next_after: next } };
    },
  });
