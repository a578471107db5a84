import { expect, test } from 'vitest';
import { keptAlive } from '../../../../infra/providers/http.ts';
import { EskizSession } from '../../../../infra/providers/verify/eskiz-session.ts';
import { eskizTemplates } from '../../../../infra/providers/verify/eskiz-templates.ts';
import { freshSandbox } from '../../../apps/sandbox/support.ts';
import { closedPort } from '../support.ts';

const account = { email: 'sms@navbat.example', password: 'a-password-of-the-sandbox' };
const readerAt = (apiUrl: string) => eskizTemplates(new EskizSession({ ...account, apiUrl }, keptAlive()));
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
  expect(await readerAt(`${sandbox.url}/eskiz`).read()).toEqual({
    ok: true,
    templates: [
      { template: 'Kod %d', status: 'service', isApproved: true },
      { template: 'Aksiya', status: 'reklama', isApproved: true },
      { template: 'Salom', status: 'inproccess', isApproved: false },
      { template: 'Xayr', status: 'rejected', isApproved: false },
    ],
    unread: 0,
  });
});

test('a token that has expired is renewed for the reading', async () => {
  const sandbox = await freshSandbox({ credentials: { eskiz: account } });
  const reader = readerAt(`${sandbox.url}/eskiz`);
  await reader.read();
  sandbox.orderFaults({ ...mine, effect: 'reject', code: 'token-expired', times: 1 });
  expect(await reader.read()).toMatchObject({ ok: true });
});

test('a list of a thousand texts is read, and one in a form that is not known is none', async () => {
  const sandbox = await freshSandbox();
  const reader = readerAt(`${sandbox.url}/eskiz`);
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
});

test('without a login or a connection there is no list, and no secret in what is said', async () => {
  const sandbox = await freshSandbox({ credentials: { eskiz: { ...account, password: 'another' } } });
  const refused = await readerAt(`${sandbox.url}/eskiz`).read();
  expect(refused).toEqual({ ok: false, reason: 'credentials' });
  const away = `http://127.0.0.1:${await closedPort()}`;
  expect(await readerAt(away).read()).toEqual({ ok: false, reason: 'network' });
});

const good = { template: 'Kod %d', status: 'service', id: 1 };
test.each([
  { what: 'a text of another kind', odd: [{ template: 7, status: 'service' }], unread: 1 },
  { what: 'another name of a field', odd: [{ text: 'Salom', status: 'service' }, null], unread: 2 },
  {
    what: 'a status that we don’t know',
    odd: [{ template: 'Salom', status: 'APPROVED_BY_OPERATOR' }],
    unread: 1,
  },
  { what: 'a status of another kind', odd: [{ template: 'Salom', status: 1 }], unread: 1 },
  { what: 'a placeholder of another form', odd: [{ template: 'Kod %d{1;6}', status: 'service' }], unread: 1 },
  { what: 'too many placeholders', odd: [{ template: '%w '.repeat(31), status: 'service' }], unread: 1 },
  { what: 'a text that is too long', odd: [{ template: 'a'.repeat(2_001), status: 'service' }], unread: 1 },
  { what: 'half a letter', odd: [{ template: 'b', status: '\ud800' }], unread: 1 },
  { what: 'a letter that Postgres does not keep', odd: [{ template: 'a\0', status: 'service' }], unread: 1 },
  { what: 'more than we keep', odd: Array<object>(2_003).fill(good), unread: 4 },
])('$what is counted, and the rest is read', async ({ odd, unread }) => {
  const sandbox = await freshSandbox();
  const body = JSON.stringify({ result: [good, ...odd] });
  sandbox.orderFaults({ ...mine, effect: 'answer', status: 200, body });
  const reading = await readerAt(`${sandbox.url}/eskiz`).read();
  expect(reading).toMatchObject({ ok: true, unread });
  expect(reading).toHaveProperty('templates.0.template', 'Kod %d');
});
