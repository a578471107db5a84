import { describe, expect, test } from 'vitest';
import { KeyScope } from '../../../domain/project/key.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { keyedHash } from '../../../infra/process/crypto.ts';
import { openCli } from './open-cli.ts';

const { ground, env, navbat, json, refusal } = await openCli();

const keyHashOf = (text: string) => keyedHash(readConfig(env).PEPPER)('api-key', text);

describe('project create', () => {
  test('makes a project and a key of every scope, shown once', async () => {
    const made = await json(['project', 'create', 'shop']);
    expect(made).toMatchObject({ slug: 'shop', created: true, key: expect.stringMatching(/^nbt_live_/) });
    const { rows } = await ground.pool.query('select scopes from api_key where hash = $1', [
      keyHashOf(made.key),
    ]);
    // `public` is what a publishable key has in place of scopes, and what every secret key reaches; `critical` and `payouts` are asked for by name.
    expect(rows[0].scopes.toSorted()).toEqual(
      KeyScope.options
        .filter((scope) => !['public', 'critical', 'payouts', 'gateways'].includes(scope))
        .toSorted(),
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

test('an archived project keeps its name and opens nothing', async () => {
  await json(['project', 'create', 'old']);
  expect((await json(['project', 'archive', 'old'])).archived_at).not.toBeNull();
  expect((await navbat(['project', 'list'])).out).toMatch(/^old .*archived$/m);
});
