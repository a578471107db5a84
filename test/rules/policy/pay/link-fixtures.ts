import { randomUUID } from 'node:crypto';
import type { Fixture } from '../fixture.ts';

const TOKEN = 'a'.repeat(43);
const callback = () => ({ path: `/callbacks/multicard/bindings/${randomUUID()}?token=${TOKEN}`, body: {} });

const webhook = () => ({ path: '/callbacks/multicard/payments', body: { uuid: 'x', sign: 'forged' } });

/** What a token of theirs shows, `test/apps/api/pay/payout-links.test.ts` asks. Here nobody has one. */
export const linkFixtures: Readonly<Record<string, Fixture>> = {
  'GET /payout-links/:token': { ask: () => ({ path: `/payout-links/${TOKEN}` }), answers: [404] },
  'POST /payout-links/:token': { ask: () => ({ path: `/payout-links/${TOKEN}` }), answers: [404] },
  'POST /callbacks/multicard/payments': {
    ask: webhook,
    answers: [403],
    unproven: { ask: webhook, answers: 403 },
  },
  'POST /callbacks/multicard/bindings/:bindingId': {
    ask: callback,
    answers: [403],
    unproven: { ask: callback, answers: 403 },
  },
};
