import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLog } from '../../../infra/process/log.ts';
import { findLeaks, type Place, redisText, type Secret, tablesText } from '../../support/leaks.ts';
import { logInForTheFirstTime } from '../../support/staff-login.ts';
import { type Navbat, startNavbat, type TestProject, until, wrongCode } from '../../support/navbat.ts';

let navbat: Navbat;
let project: TestProject;
let cookie: string;
const secrets: Secret[] = [];

beforeAll(async () => {
  navbat = await startNavbat({ processes: ['api', 'worker', 'board'], env: { LOG_LEVEL: 'debug' } });
  project = await navbat.createProject();
  await logIn();
  await tour();
  for (const name of ['TWILIO_AUTH_TOKEN', 'TELEGRAM_BOT_TOKEN', 'TELEGRAM_GATEWAY_TOKEN', 'PEPPER'])
    secrets.push({ name, value: navbat.env[name] ?? '' });
  for (const ring of ['CODE_KEYS', 'ENCRYPTION_KEYS'])
    secrets.push({ name: ring, value: navbat.env[ring]?.split(':')[1] ?? '' });
  secrets.push({
    name: 'JWT_PRIVATE_JWK',
    value: (JSON.parse(navbat.env['JWT_PRIVATE_JWK'] ?? '') as { d: string }).d,
  });
  secrets.push({ name: 'API key', value: project.key });
}, 120_000);
afterAll(() => navbat.stop());

/** As the operator of README does it: a login from the command line, then the login page. */
async function logIn(): Promise<void> {
  const made = await promisify(execFile)(
    process.execPath,
    ['apps/cli/main.ts', 'staff', 'create', 'ops@navbat.example', '--role', 'admin', '--json'],
    { env: { ...process.env, ...navbat.env } },
  );
  const { password } = JSON.parse(made.stdout) as { password: string };
  const login = await logInForTheFirstTime(navbat.boardUrl, 'ops@navbat.example', password);
  cookie = login.cookie;
  const { secret } = login.authenticator;
  secrets.push(
    { name: 'password of the board', value: password },
    { name: 'session of the board', value: cookie.split('=')[1] ?? '' },
    { name: 'pending session of the board', value: login.pendingCookie.split('=')[1] ?? '' },
    { name: 'second factor of the board', value: secret },
    // As its bytes would stand in a column that nobody encrypted.
    { name: 'second factor of the board, as bytes', value: bytesOf(secret).toString('base64url') },
    ...login.recoveryCodes.flatMap((code) => [
      { name: 'recovery code of the board', value: code },
      { name: 'recovery code of the board', value: code.replaceAll('-', '') },
    ]),
  );
  // A wrong one is looked at too, and written to the audit.
  await fetch(`${navbat.boardUrl}/account/recovery-codes`, {
    method: 'POST',
    headers: { Cookie: cookie, Origin: navbat.boardUrl, 'Content-Type': 'application/json' },
    body: JSON.stringify({ code: login.recoveryCodes[0] }),
  });
}

/** RFC 4648 §6. */
function bytesOf(base32: string): Buffer {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = Array.from(base32, (letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** Codes of eight digits over every channel: approved, wrong, refused by the provider, failing, and left alone. */
async function tour(): Promise<void> {
  const addresses = {
    phone: '+998901239901',
    telegram_chat_id: 99_101,
    push_token: 'push-token-of-somebody-0123456789',
  };
  await project.call('PUT', '/recipients', addresses);
  secrets.push({ name: 'push token', value: addresses.push_token });
  navbat.sandbox.orderFaults(
    { channel: 'sms', to: '+998911239903', effect: 'reject', code: 21211 },
    { channel: 'sms', to: '+998931239904', effect: 'server-error', times: 1 },
  );
  const sends = [
    { to: addresses.phone, channels: ['push'], purpose: 'a' },
    { to: addresses.phone, channels: ['telegram'], purpose: 'b' },
    { to: '+998941239902', channels: ['telegram-gateway'] },
    { to: '+998911239903', channels: ['sms'] },
    { to: '+998931239904', channels: ['sms'] },
    { to: '+998971239905', channels: ['sms'] },
  ];
  for (const body of sends)
    await project.call(
      'POST',
      '/otp/send',
      { ...body, length: 8 },
      { 'Idempotency-Key': `key-${body.to}-${body.purpose ?? ''}` },
    );
  await until(() => Promise.resolve(navbat.sandbox.inbox().length >= sends.length - 1));
  for (const { text } of navbat.sandbox.inbox())
    secrets.push({ name: 'code', value: /\b\d{8}\b/.exec(text)?.[0] ?? '' });

  const { rows } = await navbat.db.query<{ id: string }>('select id from verification order by id');
  const codes = secrets.filter(({ name }) => name === 'code').map(({ value }) => value);
  for (const { id } of rows)
    await project.call('POST', '/otp/verify', { id, code: wrongCode(codes[0] ?? '') });
  await Promise.all(
    rows
      .slice(0, 3)
      .flatMap(({ id }) => codes.map((code) => project.call('POST', '/otp/verify', { id, code }))),
  );
  await logInByPhone();
  // The last of them has settled what it had to.
  await until(
    async () => (await navbat.db.query(`select from job where state in ('queued')`)).rowCount === 0,
  );
}

async function logInByPhone(): Promise<void> {
  const phone = '+998981239906';
  await project.call('POST', '/api/send-otp/', { phone });
  const { text } = await navbat.sandbox.waitForMessage({ to: phone });
  const otp = /\b\d{6}\b/.exec(text)?.[0] ?? '';
  const { body } = await project.call('POST', '/api/verify-otp/', { phone, otp });
  secrets.push({ name: 'access token', value: body.token });
}

async function json(path: string): Promise<string> {
  const answer = await fetch(navbat.boardUrl + path, {
    headers: { Cookie: cookie, Accept: 'application/json' },
  });
  expect(answer.status, path).toBe(200);
  return answer.text();
}

async function boardText(): Promise<string> {
  const statuses = ['latest', 'active', 'waiting', 'completed', 'failed', 'delayed', 'prioritized', 'paused'];
  const lists = await Promise.all(
    statuses.map((status) =>
      json(`/api/queues?activeQueue=otp-send&status=${status}&page=1&jobsPerPage=100`),
    ),
  );
  const { rows } = await navbat.db.query<{ id: string }>('select id from job');
  const jobs = await Promise.all(rows.map(({ id }) => json(`/api/queues/otp-send/${id}`)));
  const logs = await Promise.all(rows.map(({ id }) => json(`/api/queues/otp-send/${id}/logs`)));
  return [...lists, ...jobs, ...logs].join('\n');
}

async function opsText(): Promise<string> {
  const { rows } = await navbat.db.query<{ id: string }>('select id from job');
  const pages = [
    '/ops',
    '/ops/jobs',
    '/ops/failures',
    '/ops/queues',
    '/ops/audit',
    ...rows.map(({ id }) => `/ops/jobs/${id}`),
  ];
  return (await Promise.all(pages.map(json))).join('\n');
}

const places = {
  redis: () => redisText(navbat.redisUrl),
  log: async () => navbat.log.join('\n'),
  tables: () => tablesText(navbat.db),
  board: boardText,
  ops: opsText,
};

async function look(names: readonly (keyof typeof places)[]): Promise<Place[]> {
  return Promise.all(names.map(async (name) => ({ name, text: await places[name]() })));
}

test('no code, secret or token stands in Redis, a log, a table, the board or /ops', async () => {
  expect(secrets.filter(({ name }) => name === 'code')).toHaveLength(5);
  expect(secrets.filter(({ value }) => value.length < 8)).toEqual([]);
  const found = await look(['redis', 'log', 'tables', 'board', 'ops']);
  // An empty place would hide anything.
  for (const { name, text } of found) expect(text.length, name).toBeGreaterThan(1_000);
  expect(findLeaks(found, secrets)).toEqual([]);
});

describe('a leak planted there is found', () => {
  const planted = () => secrets.filter(({ name }) => name === 'code').slice(0, 1);
  const code = () => planted()[0]?.value ?? '';

  test('in a Redis key', async () => {
    const redis = new Redis(navbat.redisUrl);
    await redis.hset(
      'planted',
      'data',
      JSON.stringify({ code: Buffer.from(`x${code()}`).toString('base64') }),
    );
    expect(findLeaks(await look(['redis']), planted())).toMatchObject([{ place: 'redis', form: 'base64' }]);
    await redis.del('planted');
    redis.disconnect();
  });

  test('in a log line', async () => {
    const lines: string[] = [];
    openLog('planted', 'info', { write: (line: string) => void lines.push(line) }).info(
      { note: `sent ${code()}` },
      'attempt',
    );
    expect(findLeaks([{ name: 'log', text: [...navbat.log, ...lines].join('\n') }], planted())).toMatchObject(
      [{ place: 'log', form: 'plain' }],
    );
  });

  test('in a table, and so in /ops', async () => {
    await navbat.db.query(
      `update job set reason = $1 where id = (select id from job where state <> 'queued' limit 1)`,
      [`code ${code()}`],
    );
    expect(findLeaks(await look(['tables', 'ops']), planted())).toMatchObject([
      { place: 'tables', form: 'plain' },
      { place: 'ops', form: 'plain' },
    ]);
    await navbat.db.query('update job set reason = null where reason = $1', [`code ${code()}`]);
  });

  test('as bytes in a table', async () => {
    await navbat.db.query(`update recipient set push_token_encrypted = $1`, [Buffer.from(code())]);
    expect(findLeaks(await look(['tables']), planted())).toMatchObject([{ place: 'tables', form: 'hex' }]);
  });

  test('in a queue entry, and so on the board', async () => {
    const { rows } = await navbat.db.query<{ id: string }>('select id from job limit 1');
    const redis = new Redis(navbat.redisUrl);
    const key = `{otp-send}:otp-send:${rows[0]?.id}`;
    const entry = JSON.parse((await redis.hget(key, 'data')) ?? '{}') as { labels: object };
    await redis.hset(
      key,
      'data',
      JSON.stringify({ ...entry, labels: { ...entry.labels, to: encodeURIComponent(`+ ${code()}`) } }),
    );
    expect((await look(['board'])).map((place) => findLeaks([place], planted()))).toMatchObject([
      [{ place: 'board' }],
    ]);
    redis.disconnect();
  });
});
