import { expect, test } from 'vitest';
import { billOf, proofOf } from '../../../workers/verify/bill.ts';

const UZS_PER_USD = 12_000;
const uzs = (soum: number) => ({ micros: BigInt(soum) * 1_000_000n, currency: 'UZS' });
const route = [
  { provider: 'eskiz', price: uzs(120), priceMicros: 10_000 },
  { provider: 'twilio', price: { micros: 350_000n, currency: 'USD' }, priceMicros: 350_000 },
] as const;
const one = 'Код 123456';
const two = 'ж'.repeat(71);
const bill = (leg: 'eskiz' | 'twilio', text: string) => billOf(leg, text, route, UZS_PER_USD);

test('a bill is the price of all parts, in soʻm and in the dollars that budgets count', () => {
  expect(bill('eskiz', one)).toEqual({ reservedMicros: 10_000, price: uzs(120), parts: 1 });
  expect(bill('eskiz', two)).toEqual({ reservedMicros: 20_000, price: uzs(120), parts: 2 });
  expect(billOf('push', one, route, UZS_PER_USD)).toBeNull();
  expect(billOf('telegram-gateway', one, route, UZS_PER_USD)).toEqual({
    reservedMicros: 10_000,
    price: null,
    parts: 1,
  });
});

test('what it cost is by the parts that the provider counts, else by ours', () => {
  const told = (parts?: number) =>
    ({ kind: 'accepted', reference: 'r', cost: null, ...(parts && { parts }) }) as const;
  expect(proofOf(bill('eskiz', one), told(3), UZS_PER_USD)).toEqual({
    providerReference: 'r',
    costMicros: 30_000n,
    costCurrency: 'USD',
    parts: 3,
    priceMicros: 360_000_000n,
    priceCurrency: 'UZS',
  });
  expect(proofOf(bill('twilio', two), told(), UZS_PER_USD)).toMatchObject({ costMicros: 700_000n, parts: 2 });
});

test('what may have left keeps its price, and what did not gives it back', () => {
  const unknown = { kind: 'unknown', reason: 'timeout' } as const;
  expect(proofOf(bill('eskiz', two), unknown, UZS_PER_USD)).toMatchObject({
    providerReference: null,
    costMicros: 20_000n,
    parts: 2,
    priceMicros: 240_000_000n,
  });
  const refused = { kind: 'refused', reason: 'balance-empty', addressIsDead: false } as const;
  expect(proofOf(bill('eskiz', two), refused, UZS_PER_USD)).toEqual({
    providerReference: null,
    costMicros: null,
    costCurrency: null,
  });
});

test('a provider of another channel tells its own price', () => {
  const cost = { micros: 9_000n, currency: 'USD' };
  const accepted = { kind: 'accepted', reference: 'g', cost } as const;
  expect(proofOf({ reservedMicros: 10_000, price: null, parts: 1 }, accepted, UZS_PER_USD)).toEqual({
    providerReference: 'g',
    costMicros: 9_000n,
    costCurrency: 'USD',
  });
});
