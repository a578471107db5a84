import { beforeAll, expect, test } from 'vitest';
import { openCli } from './open-cli.ts';

const { ground, navbat, json } = await openCli();
const LOGIN = 'ann@example.uz';
const CHAT = '4242';
let keyId = '';
let pageKeyId = '';

/** What the commands change, as text. */
const state = async (): Promise<string> => {
  const tables = ['project', 'project_name', 'api_key', 'staff', 'staff_session', 'telegram_chat', 'audit'];
  const { rows } = await ground.owner.query(
    `select ${tables.map((name) => `(select json_agg(x order by x::text) from ${name} x) as ${name}`).join(', ')}`,
  );
  return JSON.stringify(rows);
};

beforeAll(async () => {
  await json(['project', 'create', 'shop']);
  keyId = (await json(['key', 'create', 'shop'])).id;
  pageKeyId = (await json(['key', 'create', 'shop', '--access', 'publishable'])).id;
  await json(['staff', 'create', LOGIN, '--role', 'operator']);
  await ground.pool.query(
    `insert into telegram_chat (chat_id, unreachable, unreachable_at) values ($1, 'bot-kicked', now())`,
    [CHAT],
  );
  // From here on the audit takes no row: as a process that is killed, or a database that goes away, in front of it.
  await ground.owner.query('alter table audit add constraint audit_is_full check (false) not valid');
});

test.each([
  [['project', 'create', 'other']],
  [['project', 'set', 'shop', 'sends_per_hour=7']],
  [['project', 'ceilings', 'shop', 'rows_kept=5000']],
  [['project', 'archive', 'shop']],
  [['key', 'create', 'shop', '--name', 'second']],
  [['key', 'origins', 'shop', 'PAGE', 'https://shop.example']],
  [['key', 'revoke', 'shop', 'KEY']],
  [['staff', 'create', 'bob@example.uz', '--role', 'viewer']],
  [['staff', 'disable', LOGIN]],
  [['staff', 'reset-second-factor', LOGIN]],
  [['staff', 'unlock', LOGIN]],
  [['chat', 'open', CHAT]],
])(
  '%j changes nothing without its row of the audit, and tells no secret of what is not there',
  async (args) => {
    const before = await state();
    const given = args.map((word) => (word === 'KEY' ? keyId : word === 'PAGE' ? pageKeyId : word));
    const { code, out, err } = await navbat(given);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('audit_is_full');
    expect(await state()).toBe(before);
  },
);

test.each([[['re-encrypt']], [['rotate', '--all']]])(
  '%j, which is many commits, does not begin without its row of the audit',
  async (args) => {
    const { code, err } = await navbat(args);
    expect([code, err]).toEqual([1, expect.stringContaining('audit_is_full')]);
  },
);
