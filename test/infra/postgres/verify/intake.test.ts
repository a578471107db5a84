import { randomBytes } from 'node:crypto';
import { routingWith } from './sms-routing.ts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { SendOrder } from '../../../../domain/verify/intake.ts';
import { parsePhone } from '../../../../domain/shared/phone.ts';
import { ProjectSettings } from '../../../../domain/settings.ts';
import { keyedHash } from '../../../../infra/process/crypto.ts';
import { hotPool } from '../../../../infra/postgres/engine/hot-pool.ts';
import { otpIntake } from '../../../../infra/postgres/verify/intake.ts';
import { phoneAt } from '../../../chaos/support/destinations.ts';
import { makeProject } from '../../../chaos/support/project.ts';
import { freshDatabase } from '../../../support/servers.ts';
import { ownSend } from '../../../../domain/verify/send-command.ts';

const ORDERS = 100;
const POISONED = 42;
const pepper = randomBytes(32).toString('base64url');
let pool: pg.Pool;
const projects: string[] = [];

beforeAll(async () => {
  const { url } = await freshDatabase();
  pool = hotPool(url, 4);
  for (let index = 0; index < 10; index++)
    projects.push((await makeProject(url, pepper, `project-${index}`)).id);
});
afterAll(() => pool.end());

const AMPLE = ProjectSettings.parse({ sms_daily_budget_micros: 1_000_000_000 });
let nextPhone = 0;
function orderOf(index: number, round: string): SendOrder {
  const phone = parsePhone(phoneAt(nextPhone++));
  if (!phone) throw new Error('no such phone');
  const projectId = projects[index % projects.length] as ProjectId;
  return {
    // What the orders reserve of its budget is not what this is about.
    caller: { projectId, slug: `project-${index % projects.length}`, settings: AMPLE },
    command: ownSend({ phone, mode: 'live', channels: ['sms'], purpose: 'verify' }),
    asker: { kind: 'service' },
    destination: { phone: phone.e164 },
    idempotency: { key: `${round}-${index}`, bodyHash: randomBytes(32).toString('hex') },
    requestId: `${round}-${index}`,
  };
}

/** Where a caller's own text reaches the batch. */
const poisons: Record<string, (order: SendOrder, poison: string) => SendOrder> = {
  'in the metadata': (order, poison) => ({
    ...order,
    command: { ...order.command, metadata: { note: poison } },
  }),
  'in the user agent': (order, poison) => ({
    ...order,
    command: { ...order.command, client: { user_agent: poison } },
  }),
  'in the idempotency key': (order, poison) => ({
    ...order,
    idempotency: { key: poison, bodyHash: randomBytes(32).toString('hex') },
  }),
  'in the request id': (order, poison) => ({ ...order, requestId: poison }),
};
const strings = { 'a NUL': 'a\u0000b', 'a lone surrogate': 'a\ud800b' };
const cases = Object.keys(strings).flatMap((string) =>
  Object.keys(poisons).map((place) => [string, place] as const),
);

describe('one poisoned string among 99 requests of other projects fails alone, below the boundary too', () => {
  test.each(cases)('%s %s', async (string, place) => {
    const published: string[] = [];
    const intake = otpIntake({
      pool,
      hash: keyedHash(pepper),
      codeKid: 'test',
      numberOf: () => null,
      providers: new Set(['sms']),
      sms: routingWith('twilio'),
      now: () => new Date(),
      outbox: {
        publish: (_id, entries) => void published.push(...entries.map(({ jobId }) => jobId)),
        takePublished: () => [],
      },
    });
    const orders = Array.from({ length: ORDERS }, (_, index) => orderOf(index, `${string} ${place}`));
    const guilty = orders[POISONED];
    if (guilty)
      orders[POISONED] = poisons[place]?.(guilty, strings[string as keyof typeof strings]) ?? guilty;

    const answers = await Promise.allSettled(orders.map((order) => intake.accept(order)));
    const rejected = answers.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []));
    const accepted = answers.flatMap((answer) =>
      answer.status === 'fulfilled' && answer.value.kind === 'accepted' ? [answer.value.jobId] : [],
    );
    expect(rejected).toEqual([POISONED]);
    expect(accepted).toHaveLength(ORDERS - 1);
    expect(published.toSorted()).toEqual(accepted.toSorted());
    const found = await pool.query('select from job where id = any($1)', [accepted]);
    expect(found.rowCount).toBe(accepted.length);
  });
});
