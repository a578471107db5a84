import { expect, test } from 'vitest';
import { openCli } from './open-cli.ts';

const { ground, navbat, refusal } = await openCli();

test.each(['0', '-0', '99999999999999999999', '-9223372036854775809', '4503599627370496', '012', 'a'])(
  'no chat %s is opened: there is none',
  async (chat) => {
    expect(await refusal(['chat', 'open', '--', chat])).toMatch(
      /^chat_id: expected Telegram's number of a chat: above 0/,
    );
  },
);

test('a closed chat is opened and audited; a /stop stays, and what is open is told', async () => {
  await ground.pool.query(
    `insert into telegram_chat (chat_id, unreachable, unreachable_at, opted_out_at)
     values (-100123, 'bot-kicked', now(), null), (77, 'bot-blocked', now(), now())`,
  );
  const { out } = await navbat(['chat', 'open', '--json', '--', '-100123']);
  expect(JSON.parse(out)).toEqual({ chat_id: '-100123', opened: true });
  expect(await refusal(['chat', 'open', '--', '-100123'])).toBe('The chat -100123 is not closed.');
  expect(await refusal(['chat', 'open', '77'])).toContain('sent /stop');
  const { rows } = await ground.pool.query(
    'select chat_id, closed_reason from telegram_chat order by chat_id',
  );
  expect(rows).toEqual([
    { chat_id: '-100123', closed_reason: null },
    { chat_id: '77', closed_reason: 'opted-out' },
  ]);
  const audit = await ground.pool.query(`select subject from audit where action = 'chat.open'`);
  expect(audit.rows).toEqual([{ subject: '-100123' }]);
});
