import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Client } from 'pg';
import { freePort } from '../../../infra/embedded/port.ts';
import { baseVariables } from '../../support/environment.ts';
import { startPostgres } from '../../../infra/embedded/postgres.ts';
import { EVENTUALLY_MS } from '../../support/eventually.ts';

const main = join(import.meta.dirname, '../../../apps/local/main.ts');
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'navbat-home-'));
});
afterEach(() => rm(home, { recursive: true }));

/** `npm start` with these variables, to its end. */
function npmStart(env: Record<string, string>): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const whole = { ...baseVariables, NAVBAT_HOME: home, ...env };
    execFile(process.execPath, [main], { env: whole, timeout: EVENTUALLY_MS }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), output: `${stdout}${stderr}` }),
    );
  });
}

const freePorts = async () => ({
  API_PORT: String(await freePort()),
  BOARD_PORT: String(await freePort()),
  SANDBOX_PORT: String(await freePort()),
});

test.each(['API_PORT', 'BOARD_PORT', 'SANDBOX_PORT'] as const)(
  'a taken %s stops the start with its name, before any server was started',
  async (name) => {
    const occupier = createServer().listen(0, '127.0.0.1');
    await once(occupier, 'listening');
    const { port } = occupier.address() as AddressInfo;
    const { code, output } = await npmStart({ ...(await freePorts()), [name]: String(port) });
    occupier.close();
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`^${name}: port ${port} is taken`));
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(await readdir(home)).not.toContain('postgres');
    expect(await readdir(home)).not.toContain('supervisor.json');
  },
);

test('a bad value stops the start with the name of its variable and never with the value', async () => {
  const { code, output } = await npmStart({ ...(await freePorts()), TWILIO_ACCOUNT_SID: 'hush-hush' });
  expect(code).toBe(1);
  expect(output).toContain('TWILIO_ACCOUNT_SID');
  expect(output).not.toContain('hush-hush');
});

test('a value that a product reads further stops the start too, before any server was started', async () => {
  const { code, output } = await npmStart({
    ...(await freePorts()),
    SMS_ROUTES: '[{"prefix":"+99890","providers":["eskiz"]}]',
  });
  expect(code).toBe(1);
  expect(output).toMatch(
    /^SMS_ROUTES\[0\]\.providers\[0\]: expected an object, and not a text\n.*operations\.md/,
  );
  expect(await readdir(home)).not.toContain('postgres');
});

test('half an account at a provider stops the start too, with what is missing', async () => {
  const { code, output } = await npmStart({ ...(await freePorts()), ESKIZ_EMAIL: 'shop@example.uz' });
  expect(code).toBe(1);
  expect(output).toMatch(/^ESKIZ_PASSWORD: expected a value, as SMS through Eskiz needs it\nESKIZ_FROM: /);
  expect(await readdir(home)).not.toContain('postgres');
});

test('NODE_ENV=production is refused in a sentence, and makes no secrets', async () => {
  const { code, output } = await npmStart({ ...(await freePorts()), NODE_ENV: 'production' });
  expect(code).toBe(1);
  expect(output).toContain('NODE_ENV=production');
  expect(await readdir(home)).toEqual([]);
});

test('data of another version stops the start, with where it is and how to start fresh or keep it', async () => {
  const server = await startPostgres({ directory: home });
  const client = new Client({ connectionString: server.ownerUrl });
  await client.connect();
  await client.query(`create table mikro_orm_migrations (id serial primary key, name varchar(255), executed_at timestamptz default now());
    insert into mikro_orm_migrations (name) values ('Migration0001Start')`);
  await client.end();
  await server.stop();

  const { code, output } = await npmStart(await freePorts());
  expect(code).toBe(1);
  expect(output).toContain(`${home} holds data of another version`);
  expect(output).toContain('-new npm start');
  expect(output).toContain(`delete ${home}`);
});
