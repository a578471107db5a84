import { expect, test } from 'vitest';
import { eskizTemplates } from '../../../../infra/providers/verify/eskiz-templates.ts';
import { freshSandbox } from '../../../apps/sandbox/support.ts';
import { closedPort } from '../support.ts';

const account = { email: 'sms@navbat.example', password: 'a-password-of-the-sandbox' };
const mine = { channel: 'sms', provider: 'eskiz', method: 'user/templates' } as const;

test('the texts of Eskiz are read, each with its word; only two of the words are an approval', async () => {
  const sandbox = await freshSandbox({ credentials: { eskiz: account } });
  sandbox.orderEskiz({
    templates: [
      'Kod %d',
      { template: 'Aksiya', status: 'reklama' },
      { template: 'Salom', status: 'inproccess' },
      { template: 'Xayr', status: 'rejected' },
    ],
  });
  expect(await eskizTemplates({ ...account, apiUrl: `${sandbox.url}/eskiz` }).read()).toEqual({
    ok: true,
    templates: [
      { template: 'Kod %d', status: 'service', isApproved: true },
      { template: 'Aksiya', status: 'reklama', isApproved: true },
      { template: 'Salom', status: 'inproccess', isApproved: false },
      { template: 'Xayr', status: 'rejected', isApproved: false },
    ],
  });
});

test('a token that has expired is renewed for the reading', async () => {
  const sandbox = await freshSandbox({ credentials: { eskiz: account } });
  const reader = eskizTemplates({ ...account, apiUrl: `${sandbox.url}/eskiz` });
  await reader.read();
  sandbox.orderFaults({ ...mine, effect: 'reject', code: 'token-expired', times: 1 });
  expect(await reader.read()).toMatchObject({ ok: true });
});

test('a list of a thousand texts is read, and one in a form that is not known is none', async () => {
  const sandbox = await freshSandbox();
  const reader = eskizTemplates({ ...account, apiUrl: `${sandbox.url}/eskiz` });
  sandbox.orderEskiz({ templates: Array.from({ length: 1_000 }, (_, n) => `${'Kod %d '.repeat(20)}${n}`) });
  expect(await reader.read()).toMatchObject({ ok: true, templates: { length: 1_000 } });
  for (const [body, status, reason] of [
    ['<html>', 200, 'HTTP 200'],
    ['{"result":null}', 200, 'HTTP 200'],
    ['{"result":[]}', 500, 'HTTP 500'],
    ['{"result":[]}', 302, 'HTTP 302'],
  ] as const) {
    sandbox.orderFaults({ ...mine, effect: 'answer', status, body });
    expect(await reader.read()).toEqual({ ok: false, reason });
  }
  // The whole list would not be kept for the second and the third.
  const odd = {
    result: [
      { template: 7 },
      { template: 'a\0', status: 'service' },
      { template: 'b', status: '\ud800' },
      { template: 'Kod %d', status: 'service', id: 1 },
    ],
  };
  sandbox.orderFaults({ ...mine, effect: 'answer', status: 200, body: JSON.stringify(odd) });
  expect(await reader.read()).toMatchObject({ ok: true, templates: [{ template: 'Kod %d' }] });
});

test('without a login or a connection there is no list, and no secret in what is said', async () => {
  const sandbox = await freshSandbox({ credentials: { eskiz: { ...account, password: 'another' } } });
  const refused = await eskizTemplates({ ...account, apiUrl: `${sandbox.url}/eskiz` }).read();
  expect(refused).toEqual({ ok: false, reason: 'credentials' });
  const away = `http://127.0.0.1:${await closedPort()}`;
  expect(await eskizTemplates({ ...account, apiUrl: away }).read()).toEqual({ ok: false, reason: 'network' });
});
