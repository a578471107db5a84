import { expect, test } from 'vitest';
import type { ConfigName } from '../../../../infra/process/config.ts';
import { smsRoutingOf } from '../../../../infra/providers/verify/sms-routing.ts';

const price = '95 UZS';
const read = (routes: unknown[]) =>
  smsRoutingOf({ given: new Set<ConfigName>(['ESKIZ_EMAIL']), SMS_ROUTES: routes, SMS_UZS_PER_USD: 12_000 });
const fault = (routes: unknown[]): string[] => {
  try {
    read(routes);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
};

test.each([
  ['no route at all', [], 'SMS_ROUTES: expected at least 1 item'],
  [
    'names in place of providers',
    [{ prefix: '', providers: ['eskiz'] }],
    'SMS_ROUTES[0].providers[0]: expected an object, and not a text',
  ],
  [
    'an unknown provider',
    [{ prefix: '', providers: [{ provider: 'nexmo', price }] }],
    'SMS_ROUTES[0].providers[0].provider: expected one of "eskiz", "play-mobile", "twilio"',
  ],
  [
    'an unknown field',
    [{ prefix: '', name: 'all', providers: [{ provider: 'eskiz', price }] }],
    'SMS_ROUTES[0].name: There is no such field.',
  ],
  [
    'a price without its currency',
    [{ prefix: '', providers: [{ provider: 'eskiz', price: '95' }] }],
    'SMS_ROUTES[0].providers[0].price: expected the price of one part and its currency, such as "130 UZS" or "0.35 USD"',
  ],
  ['what is no route', [7], 'SMS_ROUTES[0]: expected an object, and not an integer'],
] as const)(
  '%s is told with its place, what was expected, and where an example is',
  (_what, routes, line) => {
    expect(fault([...routes])).toEqual([line, expect.stringContaining('docs/operations.md')]);
  },
);

test('the providers of a route are those with an account', () => {
  const routing = read([{ prefix: '', providers: [{ provider: 'eskiz', price }] }]);
  expect([...routing.providers]).toEqual(['eskiz']);
});
