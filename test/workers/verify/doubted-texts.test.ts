import { afterAll, expect, test } from 'vitest';
import { isDoubted } from '../../../domain/verify/text-moderation.ts';
import type { JobId } from '../../../domain/shared/ids.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import type { SmsProvider } from '../../../domain/verify/sms-provider.ts';
import { templateLists, textModeration } from '../../../infra/postgres/verify/text-moderation.ts';
import { guard } from '../../../infra/providers/provider-guard.ts';
import { routingWith } from '../../infra/postgres/verify/sms-routing.ts';
import { openWorld, orderFor, sendCode, wakeOver } from '../../infra/postgres/verify/world.ts';

const world = await openWorld();
afterAll(() => world.close());
const { pool } = world;
const now = () => new Date();
const accepted: SendReply = { kind: 'accepted', reference: 'r', cost: null };
const refused: SendReply = { kind: 'refused', reason: 'text-not-moderated', addressIsDead: false };

const misread: string[] = [];
const wakeOf = (eskiz: SendReply) => {
  const leg = (provider: SmsProvider, reply: SendReply) => {
    const send = () => Promise.resolve(reply);
    return [provider, guard({ channel: 'sms', provider, send }, { inFlightMax: 100, clock: now })] as const;
  };
  return wakeOver(world, new Map([leg('eskiz', eskiz), leg('play-mobile', accepted)]), {
    sms: routingWith('eskiz', 'play-mobile'),
    moderation: textModeration(pool, now, (provider) => misread.push(provider)),
  });
};

/** Each with a prefix of its own, or they would look pumped. */
let phones = 0;
/** Jobs that ask although the list says no, and some that do not. */
async function someJobs() {
  const caller = await world.makeProject({ sms_daily_budget_micros: Number.MAX_SAFE_INTEGER });
  const doubted: JobId[] = [];
  const others: JobId[] = [];
  while (doubted.length < 1 || others.length < 4) {
    const order = orderFor(caller, `+99890${1_000_000 + 10_000 * (phones++ % 800)}`);
    const { jobId } = await sendCode(world, order);
    (isDoubted(jobId) ? doubted : others).push(jobId);
  }
  const providers = async (wake: ReturnType<typeof wakeOf>, ids: readonly JobId[]) => {
    for (const id of ids) await wake(id);
    const { rows } = await pool.query<{ tried: string[] }>(
      'select array_agg(provider order by n) tried from attempt where job_id = any($1) group by job_id',
      [ids],
    );
    return rows.map(({ tried }) => tried.join(' '));
  };
  return { doubted: doubted.slice(0, 1), others, providers };
}

test('one send of fifty finds out that the list is read wrongly, and the others follow it', async () => {
  await templateLists(pool, now).claim('eskiz');
  await templateLists(pool, now).keep('eskiz', {
    templates: [{ template: 'Salom', status: 'service', isApproved: true }],
    unread: 0,
  });
  const { doubted, others, providers } = await someJobs();
  const wake = wakeOf(accepted);
  expect(await providers(wake, others.slice(0, 2))).toEqual(['play-mobile', 'play-mobile']);
  expect(misread).toEqual([]);
  expect(await providers(wake, doubted)).toEqual(['eskiz']);
  expect(misread).toEqual(['eskiz']);
  expect(await providers(wake, others.slice(2, 4))).toEqual(['eskiz', 'eskiz']);
});

test('where the list is right, that send goes by the next provider, and no other one asks', async () => {
  const { doubted, others, providers } = await someJobs();
  const wake = wakeOf(refused);
  expect(await providers(wake, doubted)).toEqual(['eskiz play-mobile']);
  expect(await providers(wake, others.slice(0, 2))).toEqual(['play-mobile', 'play-mobile']);
});
