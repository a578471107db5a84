import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Changing, type CliContext, CliError, type CliPorts } from '../../../apps/cli/context.ts';
import { createProgram } from '../../../apps/cli/program.ts';
import type { StaffListing } from '../../../domain/staff/port.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { auditLog } from '../../../infra/postgres/staff/audit.ts';
import { type Ground, makeKey, makeProject, openGround } from '../../support/api.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const SHOP = 'https://shop.example';
const DEV = 'http://localhost:5173';
const NOT_ORIGINS =
  '--origins: expected origins such as https://shop.example,http://localhost:5173, or none.';
const SECRET = '--origins: no page may hold a secret key; make one with --access publishable.';

let ground: Ground;
let projectId: ProjectId;
let said: string[] = [];
let staff: StaffListing[] = [];
/** The last row of the audit before a test. */
let before: string;
beforeAll(async () => {
  ground = await openGround();
  projectId = (await makeProject(ground, 'shop')).project.id;
});
afterAll(() => ground.close());
beforeEach(async () => {
  await ground.owner.query(`delete from api_key where project_id = $1 and access = 'publishable'`, [
    projectId,
  ]);
  const { rows } = await ground.pool.query<{ id: string }>('select coalesce(max(id), 0) id from audit');
  before = rows[0]?.id ?? '0';
  said = [];
});

/** The commands as `main.ts` makes them, in this process. */
async function navbat(...args: readonly string[]): Promise<string> {
  const none = () => {
    throw new Error('these commands ask for none of it');
  };
  const ports: Partial<CliPorts> = {
    projects: ground.projects,
    staff: { list: () => Promise.resolve(staff) },
    change: (change) => {
      const changing: Partial<Changing> = { projects: ground.projects, audit: auditLog(ground.pool) };
      return change(changing as Changing);
    },
  };
  const context: CliContext = {
    // The other ports are not these commands'.
    withPorts: (work) => work(ports as CliPorts),
    withAuditPorts: () => expect.unreachable('a command of projects'),
    say: (line) => void said.push(line),
    readStdin: none,
    random: none,
    newSecrets: none,
    now: () => NOW,
    user: 'aziza',
  };
  said = [];
  await createProgram(context, {}).parseAsync(['key', ...args], { from: 'user' });
  return said.join('\n');
}

const json = async (...args: readonly string[]) => JSON.parse(await navbat(...args, '--json'));
const create = (...more: readonly string[]) => json('create', 'shop', '--access', 'publishable', ...more);

async function originsOf(id: string): Promise<readonly string[]> {
  const keys = await ground.projects.keys(projectId);
  return keys.find((key) => key.id === id)?.allowedOrigins ?? ['no such key'];
}
const audited = async () =>
  (await ground.pool.query('select action, subject, detail from audit where id > $1 order by id', [before]))
    .rows;

test('a publishable key is made for the pages that are named, each once, and without any for none', async () => {
  const made = await create('--origins', ` ${SHOP}, ${DEV},${SHOP}`);
  expect(made.allowed_origins).toEqual([SHOP, DEV]);
  expect(await originsOf(made.id)).toEqual([SHOP, DEV]);
  for (const more of [[], ['--origins', 'none']]) {
    const { id, allowed_origins: told } = await create(...more);
    expect([told, await originsOf(id)]).toEqual([[], []]);
  }
});

test('a secret key is made for no page, and nothing is made where that is asked', async () => {
  const before = await ground.projects.keys(projectId);
  await expect(navbat('create', 'shop', '--origins', SHOP)).rejects.toThrow(new CliError(SECRET));
  expect(await ground.projects.keys(projectId)).toHaveLength(before.length);
  expect((await json('create', 'shop', '--origins', 'none')).access).toBe('secret');
});

test('key origins sets the pages of a key anew, lists them, and takes them all back', async () => {
  const { id } = await create('--origins', SHOP);
  expect(await navbat('origins', 'shop', id, DEV)).toBe(`${id} may be used by pages of: ${DEV}`);
  expect(await originsOf(id)).toEqual([DEV]);
  expect(await navbat('list', 'shop')).toContain(DEV);
  expect(await json('origins', 'shop', id, `${SHOP},${DEV}`)).toMatchObject({
    id,
    allowed_origins: [SHOP, DEV],
  });
  expect(await navbat('origins', 'shop', id, 'none')).toBe(`${id} may be used by pages of: none`);
  expect(await originsOf(id)).toEqual([]);
});

test('each change leaves an audit row that says what was allowed; a refusal leaves none', async () => {
  const { id } = await create();
  await navbat('origins', 'shop', id, SHOP);
  await expect(navbat('origins', 'shop', id, '*')).rejects.toThrow(NOT_ORIGINS);
  expect(await audited()).toEqual([
    { action: 'key.create', subject: 'shop', detail: { key: id } },
    { action: 'key.change', subject: 'shop', detail: { key: id, allowed_origins: [SHOP] } },
  ]);
});

test.for(['*', 'shop.example', `${SHOP}/`, `${SHOP}/page`, 'ftp://shop.example', `${SHOP},`, 'null', ''])(
  'what is no origin changes nothing: %j',
  async (origins) => {
    const { id } = await create('--origins', SHOP);
    await expect(navbat('origins', 'shop', id, origins)).rejects.toThrow(NOT_ORIGINS);
    await expect(create('--origins', origins)).rejects.toThrow(NOT_ORIGINS);
    expect(await originsOf(id)).toEqual([SHOP]);
  },
);

test('a secret key, a key of another project, an unknown one and what is no id are told apart', async () => {
  const { project: other } = await makeProject(ground, 'other');
  const { keyId: secretId } = await makeKey(ground, projectId);
  const { keyId: othersId } = await makeKey(ground, other.id, { access: 'publishable' });
  const refusals: readonly (readonly [slug: string, id: string, says: string])[] = [
    ['shop', secretId, SECRET],
    ['shop', othersId, 'shop has no such key.'],
    ['shop', '00000000-0000-4000-8000-000000000000', 'shop has no such key.'],
    ['shop', '4711', 'key-id: expected the id that key list shows.'],
    ['nowhere', othersId, 'There is no project nowhere.'],
  ];
  for (const [slug, id, says] of refusals)
    await expect(navbat('origins', slug, id, SHOP)).rejects.toThrow(new CliError(says));
  expect([await originsOf(secretId), await audited()]).toEqual([[], []]);
});

test('a key that asks for payouts names the member of staff who stands behind it, for ever and for the keys that it makes', async () => {
  const { rows } = await ground.owner.query<{ id: string }>(
    `insert into staff (id, email, role, password_hash, created_at) values (gen_random_uuid(), 'dilshod@example.com', 'developer', 'x', now()) returning id`,
  );
  const staffId = rows[0]?.id ?? '';
  const listed = { id: staffId, email: 'dilshod@example.com', disabledAt: null } as StaffListing;
  staff = [listed];
  const make = (...more: readonly string[]) => json('create', 'shop', '--scopes', 'payouts', ...more);
  await expect(make()).rejects.toThrow('--by: expected the email of the member of staff');
  await expect(make('--by', 'nobody@example.com')).rejects.toThrow(
    '--by: there is no login nobody@example.com',
  );
  staff = [{ ...listed, disabledAt: NOW }];
  await expect(make('--by', 'dilshod@example.com')).rejects.toThrow('or it is disabled');
  staff = [listed];
  const made = await make('--by', 'Dilshod@example.com');
  expect(await audited()).toMatchObject([
    { action: 'key.create', subject: 'shop', detail: { key: made.id, by: 'dilshod@example.com' } },
  ]);
  const behind = async (id: string) =>
    (await ground.pool.query('select created_by from api_key where id = $1', [id])).rows[0]?.created_by;
  expect(await behind(made.id)).toBe(staffId);
  const order = { access: 'secret', mode: 'live', scopes: ['payouts'], expiresAt: null } as const;
  const another = await ground.projects.createKeyBy(made.id, projectId, order, NOW);
  expect(another.created && (await behind(another.key.id))).toBe(staffId);
  await expect(
    ground.pool.query('update api_key set created_by = null where id = $1', [made.id]),
  ).rejects.toMatchObject({ code: '42501' });
});
