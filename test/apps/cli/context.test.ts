import { expect, test } from 'vitest';
import { openCli } from './open-cli.ts';

const { ground, json } = await openCli();

test('whatever a command changes leaves an audit row without secrets', async () => {
  const made = await json(['project', 'create', 'audited']);
  const { rows } = await ground.pool.query(
    `select actor, action, detail::text from audit where subject = 'audited' order by id`,
  );
  expect(rows.map(({ action }) => action)).toEqual(['project.create', 'key.create']);
  expect(rows[0].actor).toMatch(/^command line/);
  expect(JSON.stringify(rows)).not.toContain(made.key);
});
