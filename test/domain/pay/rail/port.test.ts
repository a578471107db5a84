import { format, inspect } from 'node:util';
import { expect, test } from 'vitest';
import { RailToken } from '../../../../domain/pay/rail/port.ts';

const TEXT = '6225f3c93f7a110142782fa4';

test('a token of a card shows itself nowhere, and is there for who asks', () => {
  const token = new RailToken(TEXT);
  const order = { token, amount: 1 };
  const shown = [
    `${token as unknown as string}`,
    String(token),
    JSON.stringify(order),
    inspect(order, { showHidden: true, depth: null }),
    format('%s %o %j', token, token, token),
    JSON.stringify(Object.fromEntries(Object.entries(token))),
    Object.values(token).join(),
    new Error(`no card ${token as unknown as string}`).message,
  ];
  expect(shown.filter((text) => text.includes(TEXT))).toEqual([]);
  expect(shown[0]).toBe('[rail token]');
  expect(token.reveal()).toBe(TEXT);
});
