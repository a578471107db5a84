import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../../infra/embedded/port.ts';
import { type Authenticator, authenticator } from '../../support/authenticator.ts';
import { navbatCommand } from '../../support/command-line.ts';
import { type Navbat, startNavbat } from '../../support/navbat.ts';

/** A program of finance's, from the making of its login to the end of it: the board's own process, Postgres, Redis, the command line. */

const EMAIL = 'payroll@navbat.example';
const Created = z.object({ password: z.string() });

let navbat: Navbat;
let password: string;
let app: Authenticator;
beforeAll(async () => {
  navbat = await startNavbat({ processes: ['board'] });
  const made = await command('create', EMAIL, '--role', 'finance', '--json');
  ({ password } = Created.parse(JSON.parse(made)));
});
afterAll(() => navbat?.stop());

async function command(...args: string[]): Promise<string> {
  const { code, out, err } = await navbatCommand(['staff', ...args], navbat.env);
  expect([code, err]).toEqual([0, '']);
  return out;
}

async function ask(method: string, path: string, token?: string, body?: object, url = navbat.boardUrl) {
  const answer = await fetch(url + path, {
    method,
    headers: {
      'Content-Type': 'application/json',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
}

async function logIn(code: () => Promise<string>): Promise<string> {
  const opened = await ask('POST', '/staff/sessions', undefined, { email: EMAIL, password });
  expect(opened.status).toBe(201);
  const whole = await ask('POST', '/staff/sessions/second-factor', opened.body.token, { code: await code() });
  expect([whole.status, whole.body.staff?.role]).toEqual([201, 'finance']);
  return whole.body.token;
}

test('the first login sets up the second factor, and the token serves until it is ended', async () => {
  const opened = await ask('POST', '/staff/sessions', undefined, { email: EMAIL, password });
  expect(opened).toMatchObject({ status: 201, body: { second_factor: 'set-up' } });
  const offer = await ask('POST', '/staff/sessions/second-factor/set-up', opened.body.token);
  app = authenticator(offer.body.secret);
  const code = await app.freshCode(new Date());
  const whole = await ask('POST', '/staff/sessions/second-factor', opened.body.token, { code });
  expect(whole.body.recovery_codes).toHaveLength(10);

  const { token } = whole.body;
  expect((await ask('GET', '/staff/sessions', token)).body.data).toMatchObject([
    { via: 'bearer', current: true },
  ]);
  expect((await ask('DELETE', '/staff/sessions/current', token)).status).toBe(204);
  expect((await ask('GET', '/staff/sessions', token)).status).toBe(401);
});

test('the role is read at each request, at every board, and a disabled login is out of all of them', async () => {
  const token = await logIn(() => app.freshCode(new Date()));
  const port = await freePort();
  await navbat.start('apps/board/main.ts', [], 'board ready', { BOARD_PORT: String(port) });
  const urls = [navbat.boardUrl, `http://127.0.0.1:${port}`];
  for (const url of urls)
    expect((await ask('GET', '/staff/sessions', token, undefined, url)).status).toBe(200);
  await command('disable', EMAIL);
  for (const url of urls)
    expect((await ask('GET', '/staff/sessions', token, undefined, url)).status).toBe(401);
  const again = await ask('POST', '/staff/sessions', undefined, { email: EMAIL, password });
  expect([again.status, again.body.type]).toEqual([401, 'urn:navbat:problem:login-refused']);
});

test('the document names each route that answers, and its page comes from the board', async () => {
  const { body } = await ask('GET', '/staff/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  expect(Object.keys(body.paths)).toEqual(
    expect.arrayContaining(['/staff/sessions', '/staff/sessions/{id}']),
  );
  const page = await fetch(`${navbat.boardUrl}/staff/docs`);
  const loaded = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
  expect(loaded.length).toBeGreaterThan(2);
  for (const path of loaded)
    expect([path, (await fetch(navbat.boardUrl + path)).status]).toEqual([path, 200]);
  expect(await (await fetch(`${navbat.boardUrl}/staff/docs/start.js`)).text()).toContain(
    "'/staff/openapi.json'",
  );
});

test('no line of any process holds a token, a code or the password', () => {
  const lines = navbat.log.join('\n');
  expect(lines).toContain('board ready');
  expect(lines).not.toContain('nbs_');
  expect(lines).not.toContain(password);
});
