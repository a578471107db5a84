import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureDemo, keepDemo, markTold } from '../../../apps/local/demo.ts';
import type { Cli } from '../../../apps/local/cli.ts';
import { openCli } from '../cli/open-cli.ts';

const { ground, env, navbat, json } = await openCli();
/** The commands in this process: one of its own takes a second to start. */
const cli: Cli = async (args, stdin = '') => {
  const { code, out, err } = await navbat([...args, '--json'], { input: stdin, variables: env });
  return code === 0 ? { ok: true, json: JSON.parse(out) } : { ok: false, sentence: err.trim() };
};

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'navbat-home-'));
});
afterEach(() => rm(home, { recursive: true }));

const modeOf = async (name: string): Promise<string> =>
  ((await stat(join(home, name))).mode & 0o777).toString(8);

describe("the demo's credentials", () => {
  test('are the same after a start that was killed before anybody was told', async () => {
    const first = await keepDemo(home, undefined, true);
    expect(first.told).toBe(false);
    expect(await keepDemo(home, undefined, true)).toEqual(first);
    await markTold(home, first);
    expect(await keepDemo(home, undefined, true)).toEqual({ ...first, told: true });
    expect(await modeOf('demo.json')).toBe('600');
  });

  test('take the key that is given', async () => {
    await keepDemo(home, undefined, true);
    const key = 'nbt_live_0123456789abcdef';
    expect((await keepDemo(home, key, true)).apiKey).toBe(key);
  });
});

describe('the demo', () => {
  const loginOf = async (email: string) =>
    (await json(['staff', 'list'])).find((login: { email: string }) => login.email === email);

  test('is made once, however often npm start runs, and is its person’s once they were told', async () => {
    const demo = await keepDemo(home, undefined, false);
    await ensureDemo(demo, cli);
    await ensureDemo(demo, cli);
    expect(await loginOf(demo.boardEmail)).toMatchObject({ role: 'admin', disabled_at: null });
    const setting = async () =>
      (await ground.pool.query(`select settings from project where slug = 'demo'`)).rows[0].settings;
    expect(await setting()).toMatchObject({ telegram_sign_in: true });

    await json(['project', 'set', 'demo', 'telegram_sign_in=false']);
    await json(['staff', 'disable', demo.boardEmail]);
    await ensureDemo({ ...demo, told: true }, cli);
    expect(await setting()).toMatchObject({ telegram_sign_in: false });
    expect((await loginOf(demo.boardEmail)).disabled_at).not.toBeNull();
  });

  test('takes another key: the oldest makes room, and the key that was used last stays', async () => {
    const keyed = async (n: number) => {
      const demo = await keepDemo(home, `nbt_live_givenkeyforademo${n}`, false);
      await ensureDemo({ ...demo, told: true }, cli);
    };
    for (const n of [1, 2, 3, 4, 5, 6]) await keyed(n);
    const { rows } = await ground.pool.query<{ hint: string }>(
      `select k.hint from api_key k join project p on p.id = k.project_id
       where p.slug = 'demo' and k.revoked_at is null order by k.created_at`,
    );
    expect(rows.at(-1)?.hint).toMatch(/6$/);
    expect(rows.map(({ hint }) => hint)).not.toContainEqual(expect.stringMatching(/1$/));
  });

  test('that can not be made fails the start with the sentence that says why', async () => {
    await json(['project', 'create', 'another', '--key', 'nbt_live_keyofanotherproject']);
    const demo = await keepDemo(home, 'nbt_live_keyofanotherproject', false);
    await expect(ensureDemo({ ...demo, told: true }, cli)).rejects.toThrow(
      /^The demo project could not be made: .*another project/,
    );
  });
});
