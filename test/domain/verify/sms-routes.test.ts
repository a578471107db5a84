import { describe, expect, test } from 'vitest';
import {
  operatorOf,
  ProjectSmsRoutes,
  routeMicros,
  routeOf,
  SmsRoutes,
  smsRoutesDefault,
  usdMicros,
} from '../../../domain/verify/sms-routes.ts';

const routes = SmsRoutes.parse([
  { prefix: '', providers: [{ provider: 'twilio', price: '0.35 USD' }] },
  {
    prefix: '+998',
    providers: [
      { provider: 'eskiz', price: '120 UZS' },
      { provider: 'play-mobile', price: '130 UZS' },
    ],
  },
  { prefix: '+99890', providers: [{ provider: 'play-mobile', price: '90.5 UZS' }] },
]);
const all = { routes, uzsPerUsd: 12_000, providers: new Set(['eskiz', 'play-mobile', 'twilio'] as const) };
const order = (phone: string, own: Parameters<typeof routeOf>[2] = [], routing = all) =>
  routeOf(phone, routing, own).map(({ provider, priceMicros }) => [provider, priceMicros]);

describe('the route of a number', () => {
  test('is that of the longest prefix, with the price of a part in dollars, rounded up', () => {
    expect(order('+998901234567')).toEqual([['play-mobile', 7_542]]);
    expect(order('+998931234567')).toEqual([
      ['eskiz', 10_000],
      ['play-mobile', 10_834],
    ]);
    expect(order('+77011234567')).toEqual([['twilio', 350_000]]);
  });

  test('leaves out who has no account here, and is empty where nobody is left', () => {
    const only = { ...all, providers: new Set(['twilio'] as const) };
    expect(order('+998931234567', [], only)).toEqual([]);
    expect(order('+77011234567', [], only)).toEqual([['twilio', 350_000]]);
  });

  test('of a project is its own order, at the price of the longest prefix that lists the provider', () => {
    const own = ProjectSmsRoutes.parse([
      { prefix: '+998', providers: ['twilio', 'play-mobile', 'eskiz'] },
      { prefix: '+99893', providers: ['play-mobile'] },
    ]);
    expect(order('+998901234567', own)).toEqual([
      ['twilio', 350_000],
      ['play-mobile', 7_542],
      ['eskiz', 10_000],
    ]);
    expect(order('+998931234567', own)).toEqual([['play-mobile', 10_834]]);
    // No route of the installation has Eskiz for this number: nobody knows its price.
    expect(order('+77011234567', [{ prefix: '+7', providers: ['eskiz', 'twilio'] }])).toEqual([
      ['twilio', 350_000],
    ]);
  });

  test('may take what all its providers ask', () => {
    expect(routeMicros(routeOf('+998931234567', all, []))).toBe(20_834);
  });

  test('is measured under its prefix', () => {
    expect(operatorOf('+998901234567', routes)).toBe('+99890');
    expect(operatorOf('+77011234567', routes)).toBe('');
  });
});

test('without routes of its own, an installation sends to Uzbekistan by Eskiz, Play Mobile, Twilio, and elsewhere by Twilio', () => {
  const standard = { ...all, routes: SmsRoutes.parse(smsRoutesDefault) };
  const providers = (phone: string) => routeOf(phone, standard, []).map(({ provider }) => provider);
  expect(providers('+998901234567')).toEqual(['eskiz', 'play-mobile', 'twilio']);
  expect(providers('+998111234567')).toEqual(['eskiz', 'play-mobile', 'twilio']);
  expect(providers('+4915112345678')).toEqual(['twilio']);
  expect(operatorOf('+998901234567', standard.routes)).toBe('+99890');
});

test('soʻm are counted in dollars by the rate, rounded up', () => {
  expect(usdMicros({ micros: 130_000_000n, currency: 'UZS' }, 12_000)).toBe(10_834);
  expect(usdMicros({ micros: 350_000n, currency: 'USD' }, 12_000)).toBe(350_000);
});

test.each([
  ['a price without its currency', [{ prefix: '', providers: [{ provider: 'twilio', price: '0.35' }] }]],
  ['a price in euros', [{ prefix: '', providers: [{ provider: 'twilio', price: '0.35 EUR' }] }]],
  ['a prefix without its plus', [{ prefix: '998', providers: [{ provider: 'twilio', price: '1 USD' }] }]],
  ['an unknown provider', [{ prefix: '', providers: [{ provider: 'nexmo', price: '1 USD' }] }]],
  ['a route without providers', [{ prefix: '', providers: [] }]],
  [
    'one prefix twice',
    [
      { prefix: '', providers: [{ provider: 'twilio', price: '1 USD' }] },
      { prefix: '', providers: [{ provider: 'twilio', price: '1 USD' }] },
    ],
  ],
  [
    'one provider twice',
    [
      {
        prefix: '',
        providers: [
          { provider: 'twilio', price: '1 USD' },
          { provider: 'twilio', price: '2 USD' },
        ],
      },
    ],
  ],
])('%s is refused', (_, value) => {
  expect(SmsRoutes.safeParse(value).success).toBe(false);
});
