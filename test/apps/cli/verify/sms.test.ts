import { expect, test } from 'vitest';
import { reportsAddress } from '../../../../infra/process/reports-address.ts';
import { openCli } from '../open-cli.ts';

const { env, navbat } = await openCli();
const account = { PUBLIC_URL: 'https://navbat.example', PLAY_MOBILE_PASSWORD: 'a-password' };

test('the address to agree with Play Mobile is printed, alone on its line', async () => {
  const printed = await navbat(['sms-reports-address'], { variables: { ...env, ...account } });
  const address = reportsAddress(account.PUBLIC_URL, account.PLAY_MOBILE_PASSWORD);
  expect(printed).toMatchObject({ code: 0, out: `${address}\n`, err: '' });
  expect(address).toMatch(/^https:\/\/navbat\.example\/callbacks\/play-mobile\?token=[\w-]{43}$/);
  expect(printed.out).not.toContain(account.PLAY_MOBILE_PASSWORD);
});

test('without an account it says what is missing', async () => {
  const { code, err } = await navbat(['sms-reports-address']);
  expect([code, err.trim()]).toEqual([1, 'PLAY_MOBILE_PASSWORD is not set: the address is made of it.']);
});
