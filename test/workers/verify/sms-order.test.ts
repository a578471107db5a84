import { afterAll, expect, test } from 'vitest';
import { drawOf, type Scores } from '../../../domain/verify/sms-choice.ts';
import type { SmsProvider } from '../../../domain/verify/sms-provider.ts';
import { guard } from '../../../infra/providers/provider-guard.ts';
import { routingWith } from '../../infra/postgres/verify/sms-routing.ts';
import { openWorld, orderFor, sendCode, wakeOver } from '../../infra/postgres/verify/world.ts';

const world = await openWorld();
afterAll(() => world.close());
const { pool } = world;
const now = () => new Date();

/** Eskiz was seen to lose half. */
const lossy: Scores = {
  own: new Map([
    ['eskiz', { sent: 60, arrived: 27, at: now() }],
    ['play-mobile', { sent: 60, arrived: 54, at: now() }],
  ]),
  others: [],
};
const asked: string[] = [];
const wakeOf = (isMeasured: boolean) => {
  const leg = (provider: SmsProvider) => {
    const send = () => Promise.resolve({ kind: 'accepted', reference: 'r', cost: null } as const);
    return [provider, guard({ channel: 'sms', provider, send }, { inFlightMax: 100, clock: now })] as const;
  };
  const of = (projectId: string, operator: string) => {
    asked.push(`${projectId} ${operator}`);
    return Promise.resolve(lossy);
  };
  return wakeOver(world, new Map([leg('eskiz'), leg('play-mobile'), leg('twilio')]), {
    sms: routingWith('eskiz', 'play-mobile', 'twilio'),
    smsScores: isMeasured ? { of } : null,
  });
};

/** Each with a prefix of its own, or they would look pumped. */
let phones = 0;
const freshPhone = () => `+99890${1_000_000 + 10_000 * phones++}`;
const rich = { sms_daily_budget_micros: Number.MAX_SAFE_INTEGER };
async function firstsOf(caller: Parameters<typeof orderFor>[0], isMeasured: boolean) {
  const wake = wakeOf(isMeasured);
  const sends = await Promise.all(
    Array.from({ length: 60 }, () => sendCode(world, orderFor(caller, freshPhone()))),
  );
  await Promise.all(sends.map(({ jobId }) => wake(jobId)));
  const { rows } = await pool.query<{ job_id: string; provider: string; chosen: string }>(
    'select job_id, provider, chosen from attempt where job_id = any($1) and n = 1',
    [sends.map(({ jobId }) => jobId)],
  );
  const by = new Map(rows.map((row) => [row.job_id, `${row.provider} ${row.chosen}`]));
  return sends.map(({ jobId }) => ({ draw: drawOf(jobId), first: by.get(jobId) }));
}

test('who is measured to lose is passed over, and tried with a share of the sends; each attempt says why', async () => {
  const caller = await world.makeProject(rich);
  const firsts = await firstsOf(caller, true);
  const expected = (draw: number) => {
    if (draw < 0.05) return 'eskiz trial';
    return draw < 0.1 ? 'play-mobile trial' : 'play-mobile measured';
  };
  expect(firsts.map(({ first }) => first)).toEqual(firsts.map(({ draw }) => expected(draw)));
  expect(new Set(asked)).toEqual(new Set([`${caller.projectId} +99890`]));
});

test('the listed order is kept where the project, or the installation, switched measuring off', async () => {
  const off = await world.makeProject({ ...rich, sms_route_by_measure: false });
  for (const firsts of [await firstsOf(off, true), await firstsOf(await world.makeProject(rich), false)])
    expect(new Set(firsts.map(({ first }) => first))).toEqual(new Set(['eskiz listed']));
});

test('a resend begins with a provider that was not used', async () => {
  const caller = await world.makeProject({ sms_route_by_measure: false });
  const wake = wakeOf(true);
  const order = orderFor(caller, freshPhone(), { gapsSeconds: [0, 0, 0] });
  for (let send = 0; send < 4; send++) await wake((await sendCode(world, order)).jobId);
  const { rows } = await pool.query(
    `select a.provider, a.chosen from attempt a where a.project_id = $1 order by a.job_id`,
    [caller.projectId],
  );
  expect(rows).toEqual([
    { provider: 'eskiz', chosen: 'listed' },
    { provider: 'play-mobile', chosen: 'resend' },
    { provider: 'twilio', chosen: 'resend' },
    { provider: 'eskiz', chosen: 'listed' },
  ]);
});
