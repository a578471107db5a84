import { expect, test } from 'vitest';
import { type LinkFacts, type LinkWay, nextWay, type TriedWay } from '../../../../domain/pay/link/ways.ts';
import type { JobId } from '../../../../domain/shared/ids.ts';
import type { Phone } from '../../../../domain/shared/phone.ts';

const bot = { channel: 'telegram', provider: 'telegram-bot' } as const;
const eskiz = { channel: 'sms', provider: 'eskiz' } as const;
const twilio = { channel: 'sms', provider: 'twilio' } as const;
const all: readonly LinkWay[] = [bot, eskiz, twilio];
const facts = (tried: readonly TriedWay[], more: Partial<LinkFacts> = {}): LinkFacts => ({
  jobId: '01990000-0000-7000-8000-000000000002' as JobId,
  attempt: tried.length + 1,
  isLive: true,
  hasMoved: false,
  token: 'x',
  phone: '+998901234567' as Phone,
  chatId: '7',
  locale: null,
  payer: 'Alif',
  amount: 1n,
  purpose: null,
  isReminder: false,
  expiresAt: new Date('2026-12-01T00:00:00Z'),
  tried,
  ...more,
});
const failed = (way: LinkWay): TriedWay => ({ ...way, outcome: 'failed', reason: 'network' });

test('each way is tried in its order, and each a second time before it is given up', () => {
  const tried: TriedWay[] = [];
  const order: string[] = [];
  let next = nextWay(facts(tried), all);
  while ('provider' in next) {
    order.push(next.provider);
    tried.push(failed(next));
    next = nextWay(facts(tried), all);
  }
  expect(order).toEqual(['telegram-bot', 'eskiz', 'twilio', 'telegram-bot', 'eskiz', 'twilio']);
  expect(next).toEqual({ settled: 'failed', reason: 'network' });
});

test('who only asked to wait has not failed', () => {
  const busy: TriedWay = { ...bot, outcome: 'snoozed', reason: 'own-pace' };
  expect(nextWay(facts([busy, busy, busy]), all)).toBe(bot);
});

test('an SMS that may have left is repeated by nobody; a message of the bot is', () => {
  for (const outcome of ['unknown', null] as const) {
    expect(nextWay(facts([{ ...eskiz, outcome, reason: null }]), all)).toEqual({
      settled: 'completed',
      reason: 'unknown',
    });
    const maybe = { ...bot, outcome, reason: null };
    expect(nextWay(facts([maybe]), all)).toBe(bot);
    expect(nextWay(facts([maybe, maybe]), all)).toBe(eskiz);
  }
});

test('it goes nowhere where the link ended, where somebody else has the phone, and where there is no way', () => {
  expect(nextWay(facts([], { isLive: false }), all)).toEqual({ settled: 'cancelled', reason: 'link-ended' });
  expect(nextWay(facts([], { hasMoved: true }), all)).toEqual({
    settled: 'rejected',
    reason: 'payee-phone-moved',
  });
  expect(nextWay(facts([]), [])).toEqual({ settled: 'rejected', reason: 'payee-unreachable' });
});
