import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../infra/embedded/port.ts';
import { navbatCommand } from '../../support/command-line.ts';
import {
  type Navbat,
  type Reply,
  startNavbat,
  stopProcess,
  type TestProject,
  until,
} from '../../support/navbat.ts';
import { send, type TestPhone, testPhone } from '../../support/phone.ts';
import { platformApp, signInByCode } from '../../support/platform.ts';

const key = () => randomBytes(32).toString('base64url');
const [OLD, NEW] = [`s1:${key()}`, `s2:${key()}`];
/** What a deployment goes through, one restart after the other: known, current, alone. */
const RINGS = { old: OLD, known: `${OLD},${NEW}`, current: `${NEW},${OLD}`, alone: NEW } as const;
/** Two would do for each assertion; the rest is traffic, which takes processor time from the processes that start. */
const PEOPLE = 4;
const BREATH_MS = 100;

let navbat: Navbat;
let app: TestProject;
let shop: TestProject;
let apiUrl: string;
let running: { api: ChildProcess; worker: ChildProcess };
let people: { number: string; phone: TestPhone }[];

/** The next processes serve before the last ones end, and those finish what they have in hand. */
async function deploy(ENCRYPTION_KEYS: string): Promise<void> {
  const port = String(await freePort());
  const [api, worker] = await Promise.all([
    navbat.start('apps/api/main.ts', [], 'api ready', { ENCRYPTION_KEYS, API_PORT: port }),
    navbat.start('workers/main.ts', [], 'worker ready', { ENCRYPTION_KEYS }),
  ]);
  const last = running as typeof running | undefined;
  running = { api, worker };
  apiUrl = `http://127.0.0.1:${port}`;
  // As behind a balancer: whoever was sent to the last api has its answer before that one stops listening.
  await Promise.allSettled(underWay);
  if (last) await Promise.all([stopProcess(last.api), stopProcess(last.worker)]);
}

/** `npm run navbat -- …`, in the environment of a process that has just been deployed. */
const cli = (args: readonly string[], ENCRYPTION_KEYS: string) =>
  navbatCommand([...args, '--json'], { ...navbat.env, ENCRYPTION_KEYS });

const underWay = new Set<Promise<Reply>>();
async function call(method: string, path: string, body?: unknown): Promise<Reply> {
  const reply = send(apiUrl + path, method, body, { Authorization: `Bearer ${shop.key}` });
  underWay.add(reply);
  try {
    return await reply;
  } finally {
    underWay.delete(reply);
  }
}

beforeAll(async () => {
  navbat = await startNavbat({ env: { ENCRYPTION_KEYS: RINGS.old }, processes: [] });
  shop = await navbat.createProject({ settings: { sends_per_hour: 100 } });
  await deploy(RINGS.old);
  app = await platformApp(navbat);
  const here: TestProject = {
    ...app,
    call: (method, path, body, headers) =>
      send(apiUrl + path, method, body, { Authorization: `Bearer ${app.key}`, ...headers }),
  };
  people = await Promise.all(
    Array.from({ length: PEOPLE }, async (_, index) => {
      const number = `+99890666100${index}`;
      const session = await signInByCode(navbat, here, number);
      const phone = testPhone(() => apiUrl);
      phone.signedIn(session);
      const { token } = (await phone.call('POST', '/me/enrolments', {})).body;
      await phone.claim({ token }, { push_token: `app-token-${index}` });
      const bound = await phone.confirm();
      if (bound.status !== 200) throw new Error(`not bound: ${JSON.stringify(bound.body)}`);
      return { number, phone };
    }),
  );
});
afterAll(() => navbat.stop());

/** Traffic until it is told to stop; everything that did not end as it should. */
function traffic() {
  const failures: unknown[] = [];
  const counts = { verified: 0, pushed: 0 };
  let stopped = false;
  const loop = async (step: (n: number) => Promise<void>) => {
    for (let n = 0; !stopped; n++) {
      await step(n).catch((error: unknown) => failures.push(error));
      // So that two processors also start what is deployed.
      await new Promise((resolve) => setTimeout(resolve, BREATH_MS));
    }
  };
  const loops = people.map((person) =>
    loop(async () => {
      const reply = await verify(person.number, () => person.phone.totp());
      if (reply.status === 200) counts.verified++;
      else failures.push([person.number, reply.status, reply.body]);
    }),
  );
  const pushes = loop(async (n) => {
    const recipient = await call('PUT', '/recipients', {
      handle: `user-${n % 20}`,
      push_token: `shop-token-${n}`,
    });
    const to = n % 2 ? { recipient_id: recipient.body.id } : { token: `one-token-${n}` };
    const reply = await call('POST', '/push/send', { to, notification: { title: 'Hello', body: 'there' } });
    if (reply.status === 202) counts.pushed++;
    else failures.push([reply.status, reply.body]);
  });
  const stop = async () => {
    stopped = true;
    await Promise.all([...loops, pushes]);
    return { failures, counts };
  };
  return { counts, failures, stop };
}

/** Without a message: the person reads the code off their device. */
async function verify(number: string, codeOf: () => Promise<string>): Promise<Reply> {
  const sent = await call('POST', '/otp/send', { to: number, channels: ['totp'], purpose: 'check' });
  if (sent.status !== 202) return sent;
  // Each step is taken once and an hour has few sends, which is not what this is about: both begin anew.
  await navbat.db.query(
    `with held as (select * from person_phone where phone = $1),
     sent as (update destination set sent_at = '{}' where address_hash = (select address_hash from held))
     update device set totp_last_step = null where person_id = (select person_id from held)`,
    [number],
  );
  return call('POST', '/otp/verify', { id: sent.body.id, code: await codeOf() });
}

const foreign = async () => {
  const { rows } = await navbat.db.query(
    `select count(*)::int n from device where totp_encrypted is not null and substring(totp_encrypted from 2 for 2) <> 's2'::bytea`,
  );
  return rows[0].n;
};

test('re-encrypt and rotate under traffic: no verification fails, and every push leaves', async () => {
  const run = traffic();
  onTestFinished(async () => void (await run.stop()));
  const afterAWhile = async () => {
    const { verified, pushed } = run.counts;
    await until(async () => {
      const { counts, failures } = run;
      return failures.length > 0 || (counts.verified > verified + 2 * PEOPLE && counts.pushed > pushed + 5);
    });
    expect(run.failures.slice(0, 3)).toEqual([]);
  };
  await afterAWhile();
  for (const ring of [RINGS.known, RINGS.current]) {
    await deploy(ring);
    await afterAWhile();
  }
  expect(await foreign()).toBeGreaterThan(0);
  const reencrypted = await cli(['re-encrypt'], RINGS.current);
  expect(reencrypted).toMatchObject({ code: 0, err: '' });
  expect(JSON.parse(reencrypted.out)).toMatchObject({
    current: 's2',
    left: [],
    reencrypted: { 'device.totp_encrypted': PEOPLE },
  });
  expect(await foreign()).toBe(0);
  await afterAWhile();
  await deploy(RINGS.alone);
  await afterAWhile();

  const asked = await cli(['rotate', '--all'], RINGS.alone);
  expect(JSON.parse(asked.out)).toEqual({ apps: PEOPLE, authenticators: 0, waiting: PEOPLE });
  for (const { phone } of people) {
    const before = phone.secret;
    expect(await phone.rotate()).toMatchObject({ status: 204 });
    expect(phone.secret).not.toBe(before);
  }
  await afterAWhile();
  const again = await cli(['rotate', '--all'], RINGS.alone);
  expect(JSON.parse(again.out)).toMatchObject({ apps: PEOPLE });

  const { failures, counts } = await run.stop();
  expect(failures).toEqual([]);
  expect(counts.verified).toBeGreaterThan(20);
  await until(async () => {
    const { rows } = await navbat.db.query(
      `select from job where kind = 'push' and project_id = $1 and finished_at is null`,
      [shop.id],
    );
    return rows.length === 0;
  });
  const { rows } = await navbat.db.query(
    `select state, count(*)::int n from job where kind = 'push' and project_id = $1 group by 1`,
    [shop.id],
  );
  expect(rows).toEqual([{ state: 'completed', n: counts.pushed }]);
});

test('a code that was read before a new secret, and typed after it, still verifies', async () => {
  for (const { number, phone } of people) {
    const read = await phone.totp();
    expect(await phone.rotate()).toMatchObject({ status: 204 });
    expect(await verify(number, async () => read)).toMatchObject({ status: 200 });
    expect(await verify(number, () => phone.totp())).toMatchObject({ status: 200 });
  }
});

test('90 seconds later it does not', async () => {
  const [{ number, phone }] = people as [(typeof people)[number]];
  const read = await phone.totp();
  expect(await phone.rotate()).toMatchObject({ status: 204 });
  await navbat.db.query('update device set totp_previous_until = now() where id = $1', [phone.id]);
  expect(await verify(number, async () => read)).toMatchObject({ status: 422 });
});

test('rotate asks one device, tells its person, and says what it cannot do', async () => {
  const [, { phone }] = people as [unknown, (typeof people)[number]];
  await navbat.db.query('update device set rotation_wanted_at = null');
  const one = await cli(['rotate', '--device', phone.id], RINGS.alone);
  expect(JSON.parse(one.out)).toEqual({ apps: 1, authenticators: 0, waiting: 1 });
  const repeated = await cli(['rotate', '--device', phone.id], RINGS.alone);
  expect(JSON.parse(repeated.out)).toEqual({ apps: 0, authenticators: 0, waiting: 1 });
  expect(await phone.signIn()).toMatchObject({ status: 200 });
  const mine = await phone.call('GET', '/me/devices');
  expect(mine.body.data[0]).toMatchObject({ id: phone.id, rotation_wanted: true });
  for (const [args, sentence] of [
    [['rotate'], 'Expected --device <id> or --all.'],
    [['rotate', '--all', '--device', phone.id], 'Expected --device <id> or --all.'],
    [['rotate', '--device', 'mine'], '--device: expected the id of a device.'],
    [['rotate', '--device', crypto.randomUUID()], 'There is no bound device of this id.'],
  ] as const)
    expect(await cli(args, RINGS.alone)).toMatchObject({ code: 1, err: `${sentence}\n` });
});

test('re-encrypt ends with 1 and names the key that is still needed', async () => {
  const [{ phone }] = people as [(typeof people)[number]];
  const other = `s3:${key()}`;
  const ended = await cli(['re-encrypt'], other);
  expect(ended.code).toBe(1);
  expect(ended.err).toContain('device.totp_encrypted need s2');
  expect(JSON.parse(ended.out).left).toContainEqual({
    place: 'device.totp_encrypted',
    kid: 's2',
    values: PEOPLE,
  });
  expect(await phone.call('GET', '/me/devices')).toMatchObject({ status: 200 });
});
