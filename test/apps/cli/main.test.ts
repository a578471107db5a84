import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeyScope } from '../../../domain/project/key.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { base32 } from '../../../domain/shared/otpauth.ts';
import { keyedHash, rowEncryption } from '../../../infra/process/crypto.ts';
import { RUNNING_FILE, runningVariables } from '../../../infra/process/running.ts';
import { staffAccounts } from '../../../infra/postgres/staff/accounts.ts';
import { FAILED_LOGINS_MAX } from '../../../infra/postgres/staff/lock.ts';
import { staffSecondFactors } from '../../../infra/postgres/staff/second-factor.ts';
import { staffSessions } from '../../../infra/postgres/staff/sessions.ts';
import { type Ground, openGround } from '../../support/api.ts';
import { authenticator } from '../../support/authenticator.ts';
import { type Ended, navbatCommand } from '../../support/command-line.ts';
import { testEnvironment } from '../../support/environment.ts';

const main = fileURLToPath(new URL('../../../apps/cli/main.ts', import.meta.url));
let ground: Ground;
let env: Record<string, string>;

beforeAll(async () => {
  ground = await openGround();
  env = testEnvironment({ DATABASE_URL: ground.databaseUrl, REDIS_URL: ground.redisUrl });
});
afterAll(() => ground.close());

const navbat = (args: readonly string[], { input = '', variables = env } = {}): Promise<Ended> =>
  navbatCommand(args, variables, input);

/** As a process of its own: what the commands in this one can't show. */
function navbatProcess(args: readonly string[], { input = '', variables = env } = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env: variables }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdin?.end(input);
  });
}

async function json(args: readonly string[], input?: string) {
  const { code, out, err } = await navbat([...args, '--json'], input === undefined ? {} : { input });
  expect(err).toBe('');
  expect(code).toBe(0);
  return JSON.parse(out);
}

async function refusal(args: readonly string[], input?: string): Promise<string> {
  const { code, out, err } = await navbat(args, input === undefined ? {} : { input });
  expect(code).toBe(1);
  expect(out).toBe('');
  return err.trim();
}

const keyHashOf = (text: string) => keyedHash(readConfig(env).PEPPER)('api-key', text);

describe('project create', () => {
  test('makes a project and a key of every scope, shown once', async () => {
    const made = await json(['project', 'create', 'shop']);
    expect(made).toMatchObject({ slug: 'shop', created: true, key: expect.stringMatching(/^nbt_live_/) });
    const { rows } = await ground.pool.query('select scopes from api_key where hash = $1', [
      keyHashOf(made.key),
    ]);
    // `public` is what a publishable key has in place of scopes, and what every secret key reaches.
    expect(rows[0].scopes.toSorted()).toEqual(
      KeyScope.options.filter((scope) => scope !== 'public').toSorted(),
    );
    expect(await refusal(['project', 'create', 'shop'])).toBe('There is a project shop already.');
  });

  test('with a fixed key succeeds again and changes nothing', async () => {
    const args = ['project', 'create', 'demo', '--key', 'nbt_live_fixedkeyforscripts'];
    const first = await json(args);
    const again = await json(args);
    expect(again).toMatchObject({ id: first.id, created: false, key: first.key });
    const { rowCount } = await ground.pool.query('select from api_key where project_id = $1', [first.id]);
    expect(rowCount).toBe(1);
  });

  test("refuses another project's key, a revoked one, and what is no key or no slug", async () => {
    const { id } = await json(['project', 'create', 'first', '--key', 'nbt_live_keyofthefirstproject']);
    expect(
      await refusal(['project', 'create', 'second', '--key', 'nbt_live_keyofthefirstproject']),
    ).toContain('another project');
    await ground.pool.query('update api_key set revoked_at = now() where project_id = $1', [id]);
    expect(await refusal(['project', 'create', 'first', '--key', 'nbt_live_keyofthefirstproject'])).toContain(
      'revoked',
    );
    expect(await refusal(['project', 'create', 'third', '--key', 'nonsense'])).toMatch(/^--key: expected/);
    expect(await refusal(['project', 'create', 'No Slug'])).toMatch(/^slug: expected/);
  });
});

test('project set changes what it names, and refuses what there is not', async () => {
  await json(['project', 'create', 'settings']);
  expect(await refusal(['project', 'set', 'settings', 'sms_countries=["UZ","KZ"]'])).toContain(
    'project ceilings settings sms_countries=',
  );
  await json(['project', 'ceilings', 'settings', 'sms_countries=["UZ","KZ"]']);
  const set = await json([
    'project',
    'set',
    'settings',
    'sends_per_hour=9',
    'locale=ru',
    'sms_countries=["UZ","KZ"]',
  ]);
  expect(set.settings).toMatchObject({ sends_per_hour: 9, locale: 'ru', sms_countries: ['UZ', 'KZ'] });
  expect((await json(['project', 'set', 'settings', 'sends_per_hour=null'])).settings.sends_per_hour).toBe(5);
  expect(await refusal(['project', 'set', 'settings', 'nope=1'])).toContain('nope');
  expect(await refusal(['project', 'set', 'settings', 'sends_per_hour'])).toContain('setting=value');
  expect(await refusal(['project', 'set', 'nobody', 'locale=ru'])).toBe('There is no project nobody.');
});

test('project ceilings are shown, changed by name, checked, and leave a line in the audit', async () => {
  await json(['project', 'create', 'bounded']);
  expect((await json(['project', 'ceilings', 'bounded'])).ceilings.rows_kept).toBe(5_000_000);
  const changed = await json([
    'project',
    'ceilings',
    'bounded',
    'rows_kept=5',
    'sends_per_hour=2',
    'sms_daily_budget_micros=null',
  ]);
  expect(changed).toMatchObject({
    ceilings: { rows_kept: 5, sends_per_hour: 2 },
    settings: { sends_per_hour: 2 },
    lowered: ['sends_per_hour'],
  });
  expect((await navbat(['project', 'ceilings', 'bounded'])).out).toMatch(/^used now: 0 rows queued/m);
  expect(await refusal(['project', 'ceilings', 'bounded', 'rows_kept=-1'])).toContain('rows_kept');
  expect(await refusal(['project', 'ceilings', 'bounded', 'nope=1'])).toContain('nope');
  const { rows } = await ground.pool.query(
    `select detail from audit where action = 'project.ceilings' and subject = 'bounded'`,
  );
  expect(rows.map(({ detail }) => detail)).toEqual([
    {
      from: { rows_kept: 5_000_000, sends_per_hour: 10, sms_daily_budget_micros: 50_000_000 },
      to: { rows_kept: 5, sends_per_hour: 2, sms_daily_budget_micros: 50_000_000 },
      lowered: ['sends_per_hour'],
    },
  ]);
});

test('keys are made, listed without their text, and revoked', async () => {
  await json(['project', 'create', 'keys']);
  const made = await json([
    'key',
    'create',
    'keys',
    '--mode',
    'test',
    '--scopes',
    'otp',
    '--expires',
    '2100-01-01T00:00:00Z',
  ]);
  expect(made).toMatchObject({ mode: 'test', scopes: ['otp'], expires_at: '2100-01-01T00:00:00.000Z' });
  const listed = await navbat(['key', 'list', 'keys']);
  expect(listed.out).toContain(made.id);
  expect(listed.out).not.toContain(made.key);
  await json(['key', 'revoke', 'keys', made.id]);
  expect(
    (await json(['key', 'list', 'keys'])).find(({ id }: { id: string }) => id === made.id).revoked_at,
  ).not.toBeNull();
  for (const name of ['billing', 'mail', 'site', 'shop'])
    await json(['key', 'create', 'keys', '--name', name]);
  expect(await refusal(['key', 'create', 'keys'])).toContain('revoke one first');
  expect((await navbat(['key', 'list', 'keys'])).out).toContain('billing');
  expect(await refusal(['key', 'create', 'keys', '--name', 'two\nlines'])).toContain('--name');
  expect(await refusal(['key', 'create', 'keys', '--scopes', 'everything'])).toContain('--scopes');
});

test.each(['0', '-0', '99999999999999999999', '-9223372036854775809', '4503599627370496', '012', 'a'])(
  'no chat %s is opened: there is none',
  async (chat) => {
    expect(await refusal(['chat', 'open', '--', chat])).toMatch(
      /^chat_id: expected Telegram's number of a chat: above 0/,
    );
  },
);

test('an archived project keeps its name and opens nothing', async () => {
  await json(['project', 'create', 'old']);
  expect((await json(['project', 'archive', 'old'])).archived_at).not.toBeNull();
  expect((await navbat(['project', 'list'])).out).toMatch(/^old .*archived$/m);
});

describe('staff', () => {
  test('get a generated password, shown once, or one from standard input, never shown', async () => {
    const accounts = staffAccounts(ground.orm.em);
    const made = await json(['staff', 'create', 'Ann@Example.uz', '--role', 'admin']);
    expect(made).toMatchObject({ email: 'ann@example.uz', role: 'admin' });
    expect(await accounts.verifyPassword('ann@example.uz', made.password, new Date())).toMatchObject({
      kind: 'accepted',
    });
    const piped = await navbat(
      ['staff', 'create', 'bob@example.uz', '--role', 'viewer', '--password-stdin'],
      { input: 'correct horse battery\n' },
    );
    expect(piped.out).not.toContain('horse');
    expect(
      await accounts.verifyPassword('bob@example.uz', 'correct horse battery', new Date()),
    ).toMatchObject({ kind: 'accepted' });
  });

  test('are refused a short password, an unknown role and a second login of one email', async () => {
    const create = (...more: string[]) => ['staff', 'create', 'eve@example.uz', ...more];
    expect(await refusal(create('--role', 'viewer', '--password-stdin'), 'fourteen-chars')).toContain(
      '15 to 256',
    );
    await json(create('--role', 'viewer', '--password-stdin'), 'fifteen-chars--');
    expect(await refusal(create('--role', 'viewer'))).toContain('already');
    expect(await refusal(create('--role', 'king'))).toContain('king');
  });

  test('are listed and disabled', async () => {
    await json(['staff', 'create', 'leaver@example.uz', '--role', 'operator']);
    await json(['staff', 'disable', 'leaver@example.uz']);
    expect((await navbat(['staff', 'list'])).out).toMatch(/^leaver@example\.uz +operator +disabled/m);
    expect(await refusal(['staff', 'disable', 'nobody@example.uz'])).toBe(
      'There is no login nobody@example.uz.',
    );
  });

  test('who are locked out may log in at once when they are unlocked', async () => {
    const accounts = staffAccounts(ground.orm.em);
    const email = 'locked@example.uz';
    const { password } = await json(['staff', 'create', email, '--role', 'operator']);
    const logIn = (text: string) => accounts.verifyPassword(email, text, new Date());
    for (let tries = 0; tries < FAILED_LOGINS_MAX; tries++) await logIn('a wrong password');
    expect(await logIn(password)).toMatchObject({ kind: 'refused', reason: 'locked' });
    expect(await json(['staff', 'unlock', 'Locked@Example.uz'])).toMatchObject({ unlocked: true });
    expect(await logIn(password)).toMatchObject({ kind: 'accepted' });
    const { rows } = await ground.pool.query(
      `select actor from audit where action = 'staff.unlock' and subject = $1`,
      [email],
    );
    expect(rows).toEqual([{ actor: expect.stringMatching(/./) }]);
    expect(await refusal(['staff', 'unlock', 'nobody@example.uz'])).toBe(
      'There is no login nobody@example.uz.',
    );
  });

  test('who lost their second factor get a new one at the next login, and their sessions end', async () => {
    const email = 'lost@example.uz';
    const now = new Date();
    const { id } = await json(['staff', 'create', email, '--role', 'viewer']);
    const { ENCRYPTION_KEYS, PEPPER } = readConfig(env);
    const factors = staffSecondFactors(ground.orm.em, rowEncryption(ENCRYPTION_KEYS), keyedHash(PEPPER));
    const sessions = staffSessions(ground.orm.em);
    const half = await sessions.open(id, now);
    const app = authenticator(base32((await factors.offer(half.token, now)) ?? Buffer.alloc(0)));
    expect((await navbat(['staff', 'list'])).out).toMatch(/^lost@example\.uz .*not set up/m);
    const setUp = await factors.setUp(half.token, await app.codeAt(now), now);
    if (!setUp.passed) throw new Error(setUp.reason);
    expect((await navbat(['staff', 'list'])).out).not.toMatch(/^lost@example\.uz .*not set up/m);
    expect(await sessions.find(setUp.session.token, now)).toMatchObject({ email });

    await json(['staff', 'reset-second-factor', email.toUpperCase()]);
    expect(await sessions.find(setUp.session.token, now)).toBeNull();
    expect((await json(['staff', 'list'])).find((each: { id: string }) => each.id === id)).toMatchObject({
      second_factor_at: null,
    });
    const { token } = await sessions.open(id, now);
    const [recoveryCode = ''] = setUp.recoveryCodes;
    expect(await factors.pass(token, recoveryCode, now)).toEqual({ passed: false, reason: 'wrong' });
    const offered = await factors.offer(token, now);
    expect(offered && base32(offered)).not.toBe(app.secret);
    const { rows } = await ground.pool.query(
      `select actor, detail from audit where action = 'staff.reset-second-factor'`,
    );
    expect(rows).toEqual([{ actor: expect.stringMatching(/^command line/), detail: {} }]);
    expect(await refusal(['staff', 'reset-second-factor', 'nobody@example.uz'])).toBe(
      'There is no login nobody@example.uz.',
    );
  });
});

test('whatever a command changes leaves an audit row without secrets', async () => {
  const made = await json(['project', 'create', 'audited']);
  const { rows } = await ground.pool.query(
    `select actor, action, detail::text from audit where subject = 'audited' order by id`,
  );
  expect(rows.map(({ action }) => action)).toEqual(['project.create', 'key.create']);
  expect(rows[0].actor).toMatch(/^command line/);
  expect(JSON.stringify(rows)).not.toContain(made.key);
});

describe('as a process', () => {
  test('a command reads its standard input, answers on standard output and ends with 0', async () => {
    const args = ['staff', 'create', 'process@example.uz', '--role', 'viewer', '--password-stdin', '--json'];
    const made = await navbatProcess(args, { input: 'correct horse battery\n' });
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(made.out)).toMatchObject({ email: 'process@example.uz' });
    const accounts = staffAccounts(ground.orm.em);
    expect(
      await accounts.verifyPassword('process@example.uz', 'correct horse battery', new Date()),
    ).toMatchObject({ kind: 'accepted' });
  });

  test('a refusal stands on standard error alone and ends with 1', async () => {
    const refused = await navbatProcess(['staff', 'create', 'eve@example.uz', '--role', 'king']);
    expect(refused).toEqual({ code: 1, out: '', err: expect.stringContaining('king') });
  });
});

test('help is no failure, and needs no configuration', async () => {
  const help = await navbat(['project', '--help'], { variables: {} });
  expect(help).toEqual({ code: 0, err: '', out: expect.stringContaining('ceilings') });
});

test('without a configuration or a database a command ends with one sentence', async () => {
  const unset = await navbat(['project', 'list'], { variables: { ...env, PEPPER: '' } });
  expect(unset).toMatchObject({ code: 1, err: expect.stringMatching(/^PEPPER: .*\n$/) });
  const away = await navbat(['project', 'list'], { variables: testEnvironment() });
  expect(away).toMatchObject({ code: 1, err: expect.stringMatching(/^Postgres does not answer.*\n$/) });
});

test('secrets need no database, differ each time, and are what the configuration expects', async () => {
  const bare = { variables: {} };
  const [one, two] = [await navbat(['secrets'], bare), await navbat(['secrets', '--json'], bare)];
  const lines = one.out
    .trim()
    .split('\n')
    .map((line) => /^([A-Z_]+)='(.*)'$/.exec(line)?.slice(1) ?? []);
  const secrets = Object.fromEntries(lines);
  expect(() => readConfig({ ...testEnvironment(), ...secrets })).not.toThrow();
  expect(JSON.parse(two.out).PEPPER).not.toBe(secrets.PEPPER);
});

test('beside a running npm start a command needs no environment of its own', async () => {
  const home = await mkdtemp(join(tmpdir(), 'navbat-cli-'));
  await writeFile(join(home, RUNNING_FILE), JSON.stringify(runningVariables(env)), { mode: 0o600 });
  const beside = await navbat(['project', 'create', 'beside'], { variables: { NAVBAT_HOME: home } });
  expect(beside).toMatchObject({ code: 0, err: '' });
  expect((await navbat(['project', 'list'])).out).toContain('beside');
  await rm(home, { recursive: true });
  const alone = await navbat(['project', 'list'], { variables: { NAVBAT_HOME: home } });
  expect(alone).toMatchObject({ code: 1, err: expect.stringContaining('DATABASE_URL') });
});
