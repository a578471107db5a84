import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { eskizCallbackToken } from '../../../infra/providers/verify/eskiz-callback-token.ts';
import { eventually } from '../../support/eventually.ts';
import { type Navbat, startNavbat, type TestProject } from '../../support/navbat.ts';
import { newNumber } from '../../support/platform.ts';

/** Codes by Eskiz, and by the next provider where it does not send them. */

const account = {
  ESKIZ_EMAIL: 'sms@navbat.example',
  ESKIZ_PASSWORD: 'a-password-of-a-test',
  ESKIZ_FROM: '4546',
};
let navbat: Navbat;
let asker: TestProject;

beforeAll(async () => {
  navbat = await startNavbat({ env: account });
  asker = await navbat.createProject();
});
afterAll(() => navbat.stop());
beforeEach(() => {
  navbat.sandbox.clearFaults();
  navbat.sandbox.orderEskiz({ templates: ['%w{1,200}'], balance_uzs: 1_000_000, test_account: false });
});

interface Attempt {
  readonly provider: string;
  readonly outcome: string;
  readonly reason: string | null;
}

async function send(text = {}): Promise<{ to: string; jobId: string; id: string }> {
  const to = newNumber();
  const answer = await asker.call('POST', '/otp/send', { to, channels: ['sms'], ...text });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return { to, jobId: String(answer.body.job_id), id: String(answer.body.id) };
}
async function attemptsOf(jobId: string): Promise<Attempt[]> {
  const { rows } = await navbat.db.query<Attempt>(
    'select provider, outcome, reason from attempt where job_id = $1 order by n',
    [jobId],
  );
  return rows;
}
const eskizCalls = (to: string) => navbat.sandbox.calls({ to, provider: 'eskiz' }).length;

test('a code goes out by Eskiz, its report confirms it, and the person types it', async () => {
  const { to, jobId, id } = await send();
  const message = await navbat.sandbox.waitForMessage({ to });
  expect(message).toMatchObject({ provider: 'eskiz', from: '4546' });
  await eventually(async () => {
    const { rows } = await navbat.db.query('select state, reason from job where id = $1', [jobId]);
    expect(rows).toEqual([{ state: 'completed', reason: 'confirmed-by-sms' }]);
  });
  const code = /\b\d{6}\b/.exec(message.text)?.[0];
  const check = await asker.call('POST', '/otp/verify', { id, code });
  expect(check.status, JSON.stringify(check.body)).toBe(200);
});

test('a report without its token, or with that of another attempt, is refused', async () => {
  const { jobId } = await send();
  for (const query of ['', '?token=', `?token=${'A'.repeat(43)}`]) {
    const url = `${navbat.apiUrl}/callbacks/eskiz/${jobId}/1${query}`;
    const body = new URLSearchParams({ request_id: 'r', status: 'DELIVRD' });
    expect((await fetch(url, { method: 'POST', body })).status).toBe(403);
  }
});

test('a message that Eskiz took with an id that is none is bought once, and its report is heard', async () => {
  const body = JSON.stringify({ id: 'a\0b', status: 'waiting' });
  const method = 'message/sms/send';
  navbat.sandbox.orderFaults({
    channel: 'sms',
    provider: 'eskiz',
    method,
    effect: 'answer',
    status: 200,
    body,
  });
  const { to, jobId } = await send();
  await eventually(async () =>
    expect(await attemptsOf(jobId)).toEqual([{ provider: 'eskiz', outcome: 'completed', reason: null }]),
  );
  const token = eskizCallbackToken({ password: account.ESKIZ_PASSWORD })(jobId as JobId, 1);
  // A parameter that Eskiz adds one day loses no report.
  const url = `${navbat.apiUrl}/callbacks/eskiz/${jobId}/1?token=${token}&added=by-eskiz`;
  const report = async (request_id: string) =>
    (await fetch(url, { method: 'POST', body: new URLSearchParams({ request_id, status: 'DELIVRD' }) }))
      .status;
  // Not readable, and no fault of ours.
  expect(await report('a\0b')).toBe(200);
  expect(await report('r1')).toBe(200);
  await eventually(async () => {
    const { rows } = await navbat.db.query('select state, reason from job where id = $1', [jobId]);
    expect(rows).toEqual([{ state: 'completed', reason: 'confirmed-by-sms' }]);
  });
  expect(await attemptsOf(jobId)).toHaveLength(1);
  expect(navbat.sandbox.calls({ to, provider: 'twilio' })).toEqual([]);
});

test('a refused wording goes by the next provider, and the next code of it is not offered to Eskiz at all', async () => {
  const refused = { locale: 'ru' };
  navbat.sandbox.orderFaults({
    channel: 'sms',
    provider: 'eskiz',
    effect: 'reject',
    code: 'text-not-moderated',
  });
  const first = await send(refused);
  expect(await navbat.sandbox.waitForMessage({ to: first.to })).toMatchObject({ provider: 'twilio' });
  await eventually(async () =>
    expect(await attemptsOf(first.jobId)).toEqual([
      { provider: 'eskiz', outcome: 'rejected', reason: 'text-not-moderated' },
      { provider: 'twilio', outcome: 'completed', reason: null },
    ]),
  );
  navbat.sandbox.clearFaults();

  const second = await send(refused);
  expect(await navbat.sandbox.waitForMessage({ to: second.to })).toMatchObject({ provider: 'twilio' });
  await eventually(async () =>
    expect((await attemptsOf(second.jobId)).map((each) => each.provider)).toEqual(['twilio']),
  );
  expect(eskizCalls(second.to)).toBe(0);

  // Of another wording nothing is known against it.
  const other = await send({ locale: 'en' });
  expect(await navbat.sandbox.waitForMessage({ to: other.to })).toMatchObject({ provider: 'eskiz' });

  await eventually(async () => {
    const { body } = await asker.call('POST', `/projects/${asker.id}/templates/preview`, {});
    const stateIn = (locale: string) =>
      body.texts.find((text: { locale: string }) => text.locale === locale).moderation;
    expect(stateIn('ru')).toMatchObject([
      { provider: 'eskiz', state: 'not-approved', said: expect.any(String) },
    ]);
    expect(stateIn('en')).toMatchObject([{ provider: 'eskiz', state: 'approved' }]);
  });
});

test('an empty balance goes by the next provider', async () => {
  navbat.sandbox.orderEskiz({ balance_uzs: 0 });
  const { to, jobId } = await send({ locale: 'kk' });
  expect(await navbat.sandbox.waitForMessage({ to })).toMatchObject({ provider: 'twilio' });
  await eventually(async () =>
    expect((await attemptsOf(jobId))[0]).toMatchObject({ reason: 'balance-empty' }),
  );
});

test('fifty codes at once meet an expired token: one login, and each arrives once by Eskiz', async () => {
  const { sandbox } = navbat;
  const logins = () =>
    sandbox.calls({ provider: 'eskiz' }).filter(({ method }) => method === 'auth/login').length;
  const expired = () => sandbox.calls({ provider: 'eskiz' }).filter(({ status }) => status === 401).length;
  await sandbox.waitForMessage({ to: (await send({ locale: 'en' })).to });
  const before = { logins: logins(), expired: expired() };
  const mine = { channel: 'sms', provider: 'eskiz' } as const;
  sandbox.orderFaults(
    // Ends every token that was given.
    { ...mine, effect: 'reject', code: 'token-expired', times: 1 },
    // Long enough for many to wait for it.
    { ...mine, method: 'auth/login', effect: 'slow', delay_ms: 1_000 },
  );
  const crowd = await navbat.createProject();
  // Each in a prefix of its own: fifty unconfirmed codes to one would be blocked.
  const numbers = Array.from({ length: 50 }, (_, n) => `+99890${100 + n}4567`);
  const answers = await Promise.all(
    numbers.map((to) => crowd.call('POST', '/otp/send', { to, channels: ['sms'], locale: 'en' })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  for (const to of numbers)
    expect(await sandbox.waitForMessage({ to }), to).toMatchObject({ provider: 'eskiz' });
  expect(expired()).toBeGreaterThan(before.expired);
  // The worker has one session, and another one that reads the list of texts.
  expect(logins() - before.logins).toBeLessThanOrEqual(2);
  expect(logins()).toBeGreaterThan(before.logins);
  expect(numbers.map((to) => sandbox.inbox({ to }).length)).toEqual(numbers.map(() => 1));
});

test('what Eskiz could not deliver goes by the next provider', async () => {
  navbat.sandbox.orderFaults({ channel: 'sms', provider: 'eskiz', effect: 'undelivered', code: 'UNDELIV' });
  const { to, jobId } = await send({ locale: 'en' });
  await eventually(async () =>
    expect(navbat.sandbox.inbox({ to }).map(({ provider }) => provider)).toEqual(['eskiz', 'twilio']),
  );
  const { rows } = await navbat.db.query(
    'select delivery, delivery_reason from attempt where job_id = $1 and n = 1',
    [jobId],
  );
  expect(rows).toEqual([{ delivery: 'failed', delivery_reason: 'UNDELIV' }]);
});

test('no log line holds the password, a token of Eskiz or that of a callback', async () => {
  await eventually(() => expect(navbat.log.length).toBeGreaterThan(3));
  for (const line of navbat.log) {
    expect(line).not.toContain(account.ESKIZ_PASSWORD);
    expect(line).not.toMatch(/token=[\w-]{43}|Bearer /);
  }
});
