import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { railWebhooks } from '../../../../apps/api/pay/rail-webhooks.routes.ts';
import { begin, problems, unknownPath } from '../../../../apps/http/express.ts';
import { limitConnection, quotaCounter } from '../../../../infra/limits/quota-counter.ts';
import { dispatchLook } from '../../../../infra/postgres/pay/dispatch/look.ts';
import { openLog } from '../../../../infra/process/log.ts';
import { freshRedis } from '../../../support/servers.ts';
import { openPayoutWorld } from '../../../workers/pay/payout-world.ts';
import { ACCOUNT } from '../../sandbox/pay/multicard-world.ts';

interface Notice {
  readonly uuid: string;
  readonly reference: string;
  readonly status: string;
  readonly secret?: string;
}

test('forged, repeated, early and strange webhooks change nothing of a payment, but when it is asked about', async () => {
  const world = await openPayoutWorld();
  const batch = await world.batch(1);
  await world.start();
  const [job] = await world.openJobs();
  if (!job) throw new Error('no job');
  const redis = new Redis(await freshRedis(), limitConnection);
  const counter = quotaCounter(redis);
  const woken: string[] = [];
  const server = createServer(
    express()
      .use(begin)
      .use(
        railWebhooks({
          rail: world.rail,
          look: dispatchLook(world.pool),
          wake: (id) => woken.push(id),
          counter,
          proxies: 0,
        }),
      )
      .use(unknownPath)
      .use(problems({ log: openLog('test', 'silent') })),
  );
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  onTestFinished(() => {
    server.close();
    counter.close();
    redis.disconnect();
  });
  const send = async ({ uuid, reference, status, secret = ACCOUNT.secret }: Notice): Promise<number> => {
    const amount = 1_230_000;
    const sign = createHash('sha1').update(`${uuid}${reference}${amount}${secret}`).digest('hex');
    const { port } = server.address() as AddressInfo;
    // A parameter that the rail adds one day loses no report.
    const answer = await fetch(`http://127.0.0.1:${port}/callbacks/multicard/payments?added=by-the-rail`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ uuid, invoice_id: reference, amount, sign, status }),
    });
    return answer.status;
  };
  const rows = async () =>
    (
      await world.pool.query<{ state: string; next_at: Date }>(
        'select state, next_at, (select count(*)::int from rail_call) calls from payout_dispatch',
      )
    ).rows;

  const [waiting] = await world.dispatches(batch.id);
  const reference = `${waiting?.id}-1`;
  const untouched = await rows();
  // Before anything of it was sent.
  expect(await send({ uuid: 'early', reference, status: 'success' })).toBe(200);
  expect(await rows()).toEqual(untouched);

  world.box.orderFaults({ effect: 'hang-after', on: 'confirm', times: 1, hang_ms: 0 });
  await world.wakeAll(world.worker(), [job]);
  const [unknown] = await rows();
  expect(unknown?.state).toBe('unknown');
  const uuid = world.box.payments()[0]?.uuid ?? '';
  expect(await send({ uuid, reference, status: 'success', secret: 'a guess' })).toBe(403);
  expect(await send({ uuid, reference: 'another-1', status: 'error' })).toBe(200);
  expect(await rows()).toEqual([unknown]);
  expect(woken).toEqual([]);

  // It says the opposite of what is so, under a signature that does not cover it.
  expect(await send({ uuid, reference, status: 'error' })).toBe(200);
  expect(await send({ uuid, reference, status: 'error' })).toBe(200);
  expect(woken).toEqual([job]);
  const [asked] = await rows();
  expect(asked).toEqual({ ...unknown, next_at: expect.any(Date) });
  expect(asked?.next_at.getTime()).toBeLessThan(unknown?.next_at.getTime() ?? 0);

  await world.wakeAll(world.worker(), [job]);
  expect(await world.statesOf(batch.id)).toEqual({ paid: 1 });
  const paid = await rows();
  expect(await send({ uuid, reference, status: 'error' })).toBe(200);
  expect(await rows()).toEqual(paid);
  expect(await world.paid()).toHaveLength(1);
});
