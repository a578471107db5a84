import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STRANGER_SENDS_OPEN, STRANGER_SENDS_PER_HOUR } from '../../../domain/verify/strangers.ts';
import { type Navbat, type Reply, startNavbat, type TestProject, wrongCode } from '../../support/navbat.ts';
import { codeAfter, fromHome } from '../../support/platform.ts';

/** Guarantee 3: a stranger can neither use up, cancel nor replace a code. They hold the same publishable key, as everybody may. */
let navbat: Navbat;
let service: TestProject;
/** The same project's app, by a key of its own. */
let app: TestProject;
let nextNumber = 100;

beforeAll(async () => {
  navbat = await startNavbat();
  const settings = { sms_daily_budget_micros: 1_000_000_000 };
  service = await navbat.createProject({ settings });
  app = await appOf(service);
});
afterAll(() => navbat.stop());

async function appOf(project: TestProject): Promise<TestProject> {
  const made = await navbat.createProject({ access: 'publishable', scopes: ['public'] });
  await navbat.db.query('update api_key set project_id = $1 where project_id = $2', [project.id, made.id]);
  return { ...made, id: project.id };
}

/** In a block of numbers of its own. */
const newNumber = () => `+99890${nextNumber++}0000`;

interface Asked {
  readonly code: string;
  readonly reply: Reply;
}

/** Somebody at an address of their own is sent a code. */
async function asked(path: string, phone: string, by = app, more: object = {}): Promise<Asked> {
  let reply: Reply | undefined;
  const code = await codeAfter(navbat, phone, async () => {
    reply = await by.call('POST', path, { phone, ...more }, fromHome());
    expect(reply.status, JSON.stringify(reply.body)).toBeLessThan(300);
  });
  if (!reply) throw new Error('nothing was asked');
  return { code, reply };
}

const signIn = (id: string, code: string, check_token?: string, by = app) =>
  by.call('POST', '/auth/code/verify', { id, code, check_token }, fromHome());
const logIn = (phone: string, otp: string, check_token?: string, by = app) =>
  by.call('POST', '/api/verify-otp/', { phone, otp, check_token }, fromHome());

/** Everything that somebody without its token may try on a code of this number. */
const attacks: Record<string, (victim: { phone: string; id: string; token: string }) => Promise<unknown>> = {
  'asks for a sign-in code': ({ phone }) => asked('/auth/code', phone),
  'asks for a login code': ({ phone }) => asked('/api/send-otp/', phone),
  'asks for an approval': ({ phone }) => app.call('POST', '/auth/approval', { to: phone }, fromHome()),
  'asks for it again with a token of their own': async ({ phone }) => {
    const theirs = await asked('/auth/code', phone);
    const check_token = theirs.reply.body.check_token;
    expect(await app.call('POST', '/auth/code', { phone, check_token }, fromHome())).toMatchObject({
      status: 429,
    });
  },
  'types wrong codes for the phone': async ({ phone }) => {
    for (let n = 0; n < 6; n++) expect(await logIn(phone, '000000')).toMatchObject({ status: 400 });
  },
  'types wrong codes with a token that is none': async ({ phone, id }) => {
    for (let n = 0; n < 6; n++) {
      const token = randomBytes(48).toString('base64url');
      expect(await logIn(phone, '000000', token)).toMatchObject({ status: 404 });
      expect(await signIn(id, '000000', token)).toMatchObject({ status: 404 });
    }
  },
  'types wrong codes for its id with the token of another': async ({ phone, id }) => {
    const theirs = await asked('/auth/code', phone);
    for (let n = 0; n < 6; n++)
      expect(await signIn(id, '000000', theirs.reply.body.check_token)).toMatchObject({ status: 404 });
  },
  'types wrong codes for its id': async ({ id }) => {
    for (let n = 0; n < 6; n++) expect(await signIn(id, '000000')).toMatchObject({ status: 400 });
  },
  'uses up a code of their own, to its last check': async ({ phone }) => {
    const theirs = await asked('/auth/code', phone);
    const { id, check_token } = theirs.reply.body;
    for (let n = 0; n < 5; n++)
      expect(await signIn(id, wrongCode(theirs.code), check_token)).toMatchObject({ status: 422 });
    expect(await signIn(id, theirs.code, check_token)).toMatchObject({ status: 410 });
  },
  'shows the idempotency key of the other': async ({ phone, token }) => {
    const key = { 'Idempotency-Key': 'order-1001' };
    const theirs = await app.call('POST', '/auth/code', { phone }, { ...key, ...fromHome() });
    expect(theirs.body.check_token).not.toBe(token);
  },
};

describe.each(Object.entries(attacks))('a stranger %s', (_name, attack) => {
  test('and the code that somebody else asked for with the same key is right at its first try', async () => {
    for (const path of ['/auth/code', '/api/send-otp/']) {
      const phone = newNumber();
      const { code, reply } = await asked(path, phone);
      const { id, check_token: token } = reply.body;
      await attack({ phone, id, token });
      const right = path === '/auth/code' ? await signIn(id, code, token) : await logIn(phone, code, token);
      expect(right, path).toMatchObject({ status: 200 });
    }
  });

  test('and the code that a service asked for is right at its first try, and is sent again', async () => {
    const phone = newNumber();
    const login = await asked('/api/send-otp/', phone, service);
    const { code, reply } = await asked('/auth/code', phone, service);
    const { id } = reply.body;
    await attack({ phone, id, token: '' });
    const verify = await signIn(id, code, undefined, service);
    expect(verify).toMatchObject({ status: 200 });
    expect(await logIn(phone, login.code, undefined, service)).toMatchObject({ status: 200 });
    // Neither its hourly count nor its pauses know of the stranger.
    const sent = await service.call('POST', '/otp/send', { to: phone, purpose: 'verify' });
    expect(sent).toMatchObject({ status: 202, body: { resend: false } });
  });
});

test('asked for first by a stranger, a code is still its asker’s own', async () => {
  const phone = newNumber();
  const strangers = await app.call('POST', '/auth/approval', { to: phone }, fromHome());
  expect(strangers.status).toBe(202);
  const theirs = await asked('/auth/code', phone);
  const { code, reply } = await asked('/auth/code', phone);
  expect(reply.body).toMatchObject({ resend: false });
  expect([strangers.body.id, theirs.reply.body.id]).not.toContain(reply.body.id);
  expect(await signIn(reply.body.id, code, reply.body.check_token)).toMatchObject({ status: 200 });
  // And theirs was not ended by it.
  const { id, check_token } = theirs.reply.body;
  expect(await signIn(id, wrongCode(theirs.code), check_token)).toMatchObject({ status: 422 });
  const { rows } = await navbat.db.query('select state from verification where id = $1', [strangers.body.id]);
  expect(rows).toEqual([{ state: 'live' }]);
});

test('with its token a code is sent again, after the pause, and is the same', async () => {
  const phone = newNumber();
  const { code, reply } = await asked('/auth/code', phone);
  const { id, check_token } = reply.body;
  expect(await app.call('POST', '/auth/code', { phone, check_token }, fromHome())).toMatchObject({
    status: 429,
    body: { type: 'urn:navbat:problem:too-soon' },
  });
  await navbat.db.query(`update verification set sent_at = sent_at - interval '30 s' where id = $1`, [id]);
  const again = await asked('/auth/code', phone, app, { check_token });
  expect(again.reply.body).toMatchObject({ id, resend: true, check_token });
  expect(again.code).toBe(code);
  // Of another phone, or for another purpose, it is the token of nothing.
  for (const [path, to] of [
    ['/auth/code', newNumber()],
    ['/api/send-otp/', phone],
  ] as const)
    expect(await app.call('POST', path, { phone: to, check_token }, fromHome())).toMatchObject({
      status: 404,
    });
  expect(await signIn(id, code, check_token)).toMatchObject({ status: 200 });
});

test('a code by its token logs in with the phone that it was sent to, and no other', async () => {
  const phone = newNumber();
  const { code, reply } = await asked('/api/send-otp/', phone);
  expect(await logIn(newNumber(), code, reply.body.check_token)).toMatchObject({ status: 422 });
});

test('approvals that one address asks for count apart from codes, and keep nobody else from asking for the same number', async () => {
  const phone = newNumber();
  const replies: Reply[] = [];
  const home = fromHome();
  for (let n = 0; n < STRANGER_SENDS_PER_HOUR + 2; n++)
    replies.push(await app.call('POST', '/auth/approval', { to: phone }, home));
  expect(replies.map(({ status }) => status)).toEqual([
    ...Array.from({ length: STRANGER_SENDS_PER_HOUR }, () => 202),
    429,
    429,
  ]);
  // Nor do many addresses: how often a phone rings is bounded for its person.
  for (let n = 0; n < STRANGER_SENDS_PER_HOUR + 1; n++)
    expect(await app.call('POST', '/auth/approval', { to: phone }, fromHome())).toMatchObject({
      status: 202,
    });
  await asked('/auth/code', phone);
  for (let n = 0; n < 5; n++)
    expect(await service.call('POST', '/otp/send', { to: phone, purpose: `p${n}` })).toMatchObject({
      status: 202,
    });
});

test('one address is sent no sixth code that nobody confirms, and gets them back as they are confirmed', async () => {
  const home = fromHome();
  const ask = () => app.call('POST', '/auth/code', { phone: newNumber() }, home);
  const first = newNumber();
  let sent: Reply | undefined;
  const code = await codeAfter(navbat, first, async () => {
    sent = await app.call('POST', '/auth/code', { phone: first }, home);
  });
  for (let n = 0; n < 4; n++) expect(await ask()).toMatchObject({ status: 202 });
  expect(await ask()).toMatchObject({
    status: 429,
    body: { type: 'urn:navbat:problem:codes-unconfirmed' },
  });
  expect(await signIn(sent?.body.id, code, sent?.body.check_token)).toMatchObject({ status: 200 });
  // One was confirmed: that one counts no more, and one more may stay unconfirmed.
  expect(await ask()).toMatchObject({ status: 202 });
  expect(await ask()).toMatchObject({ status: 202 });
  expect(await ask()).toMatchObject({ status: 429 });
});

test('who calls from where their codes were right is sent one, though strangers used up all that is paid for the number', async () => {
  const phone = newNumber();
  const home = fromHome();
  const ask = (from: Record<string, string>, by = app) => by.call('POST', '/auth/code', { phone }, from);
  let sent: Reply | undefined;
  const code = await codeAfter(navbat, phone, async () => (sent = await ask(home)));
  const { id, check_token } = sent?.body ?? {};
  expect(await app.call('POST', '/auth/code/verify', { id, code, check_token }, home)).toMatchObject({
    status: 200,
  });
  const other = await appOf(await navbat.createProject());
  let accepted = 1;
  for (const by of [app, other])
    for (let n = 0; n < STRANGER_SENDS_PER_HOUR; n++)
      accepted += (await ask(fromHome(), by)).status === 202 ? 1 : 0;
  await expect.poll(() => navbat.sandbox.inbox({ to: phone }).length).toBe(accepted);
  expect((await ask(fromHome())).status).toBeGreaterThan(400);
  const again = await codeAfter(navbat, phone, async () => {
    sent = await ask(home);
    expect(sent, JSON.stringify(sent.body)).toMatchObject({ status: 202 });
  });
  expect(await signIn(sent?.body.id, again, sent?.body.check_token)).toMatchObject({ status: 200 });
});

test('a block of numbers that strangers pump is not blocked for the services, nor for who calls from where their codes were right', async () => {
  const block = newNumber().slice(0, -4);
  const numberOf = (n: number) => `${block}${1_000 + n}`;
  const owner = { phone: numberOf(99), home: fromHome() };
  let sent: Reply | undefined;
  const ask = async () => (sent = await app.call('POST', '/auth/code', { phone: owner.phone }, owner.home));
  const code = await codeAfter(navbat, owner.phone, ask);
  const { id, check_token } = sent?.body ?? {};
  await app.call('POST', '/auth/code/verify', { id, code, check_token }, owner.home);
  const pump = (n: number) => app.call('POST', '/auth/code', { phone: numberOf(n) }, fromHome());
  let pumped = 0;
  const blocked = async () => (await pump(pumped++)).body.type === 'urn:navbat:problem:prefix-blocked';
  await expect.poll(blocked).toBe(true);
  expect(await service.call('POST', '/otp/send', { to: numberOf(98) })).toMatchObject({ status: 202 });
  expect(await ask()).toMatchObject({ status: 202 });
});

test('addresses that confirm nothing leave the last codes of a number to others', async () => {
  const phone = newNumber();
  const [one, two] = [fromHome(), fromHome()];
  for (const from of [one, two])
    expect(await app.call('POST', '/auth/code', { phone: newNumber() }, from)).toMatchObject({ status: 202 });
  const from = (home: Record<string, string>) => app.call('POST', '/auth/code', { phone }, home);
  for (let n = 0; n < STRANGER_SENDS_OPEN; n++)
    expect(await from(n % 2 ? one : two)).toMatchObject({ status: 202 });
  const refused = await from(one);
  expect(refused).toMatchObject({ status: 429, body: { type: 'urn:navbat:problem:publishable-limit' } });
  // No setting of the project decided it.
  expect(refused.body).not.toHaveProperty('setting');
  await expect.poll(() => navbat.sandbox.inbox({ to: phone }).length).toBe(STRANGER_SENDS_OPEN);
  const owner = await asked('/auth/code', phone);
  const { id, check_token } = owner.reply.body;
  expect(await signIn(id, owner.code, check_token)).toMatchObject({ status: 200 });
});
