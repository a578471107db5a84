import { expect, test } from 'vitest';
import { checkMulticard, multicardFromConfig } from '../../../../infra/providers/pay/from-config.ts';

const account = {
  MULTICARD_APPLICATION_ID: 'a',
  MULTICARD_SECRET: 'b',
  MULTICARD_STORE_ID: '6',
  MULTICARD_CALLBACK_SECRET: undefined,
  MULTICARD_API_URL: undefined,
  PUBLIC_URL: 'http://127.0.0.1:3000',
};
const none = {
  ...account,
  MULTICARD_APPLICATION_ID: undefined,
  MULTICARD_SECRET: undefined,
  MULTICARD_STORE_ID: undefined,
};
const clock = () => new Date();

test('without an account there is no rail, and with a whole one there is', async () => {
  expect(await multicardFromConfig(none, clock)).toBeNull();
  expect(await multicardFromConfig(account, clock)).toMatchObject({ id: 'multicard' });
});

test.each(['MULTICARD_APPLICATION_ID', 'MULTICARD_SECRET', 'MULTICARD_STORE_ID'] as const)(
  'an account without %s is refused by that name, and its values are not told',
  async (missing) => {
    const half = { ...account, [missing]: undefined };
    expect(() => checkMulticard(half)).toThrow(`${missing}: expected a value, as Multicard needs it`);
    await expect(multicardFromConfig(half, clock)).rejects.toThrow(/^MULTICARD_\w+: expected a value[^\n]*$/);
  },
);
