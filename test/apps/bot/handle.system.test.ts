import { describe, expect, test } from 'vitest';
import { freePort } from '../../../infra/embedded/port.ts';
import { until } from '../../support/navbat.ts';
import { openBot } from './open-bot.ts';

const { navbat, secret, post, messagesTo, newUpdateId, newPersonId, update, contactOf } = await openBot();

describe('an update that is delivered twice does nothing twice', () => {
  test('one after the other', async () => {
    const id = newPersonId();
    const twice = contactOf(id);
    expect(await post(twice)).toBe(200);
    await until(async () => messagesTo(id).length === 2);
    expect(await post(twice)).toBe(200);
    // Whatever it had begun would stand before this one's answer.
    expect(await post(update(id, { text: '/help' }))).toBe(200);
    await until(async () => messagesTo(id).some(({ text }) => /\/language/.test(text)));
    expect(messagesTo(id)).toHaveLength(3);
    const { rows } = await navbat.db.query(
      'select sends from verification v join users u on u.verification_id = v.id where telegram_id = $1',
      [id],
    );
    expect(rows).toEqual([{ sends: 1 }]);
  });

  test('ten times at one moment', async () => {
    const id = newPersonId();
    const same = contactOf(id);
    const statuses = await Promise.all(Array.from({ length: 10 }, () => post(same)));
    // Whoever comes while it is worked on is told to come again.
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0);
    expect(statuses.every((status) => status === 200 || status === 503)).toBe(true);
    expect(await post(same)).toBe(200);
    await until(async () => messagesTo(id).length === 2);
    const { rows } = await navbat.db.query(
      'select sends from verification v join users u on u.verification_id = v.id where telegram_id = $1',
      [id],
    );
    expect(rows).toEqual([{ sends: 1 }]);
  });

  test('and one that its process died over is done by the next delivery, with the same code', async () => {
    const id = newPersonId();
    const same = contactOf(id);
    await post(same);
    await until(async () => messagesTo(id).length === 2);
    const died = `update bot_update set done_at = null, claimed_at = claimed_at - $2::interval where update_id = $1`;
    // A moment ago: it may still be at work. Half a minute ago: it is not.
    await navbat.db.query(died, [same.update_id, '0 s']);
    expect(await post(same)).toBe(503);
    await navbat.db.query(died, [same.update_id, '31 s']);
    expect(await post(same)).toBe(200);
    const { rows } = await navbat.db.query(
      'select v.sends, count(j.id)::int jobs from users u join verification v on v.id = u.verification_id join job j on j.subject_id = v.id where telegram_id = $1 group by v.sends',
      [id],
    );
    expect(rows).toEqual([{ sends: 1, jobs: 1 }]);
  });
});

describe('updates of one chat', () => {
  const member = (id: number, updateId: number, status: string) => ({
    update_id: updateId,
    my_chat_member: {
      chat: { id, type: 'private' },
      from: { id, is_bot: false, first_name: 'Aziza' },
      date: 1,
      old_chat_member: { status: 'member' },
      new_chat_member: { status },
    },
  });
  const closedReason = async (id: number) =>
    (await navbat.db.query('select closed_reason from telegram_chat where chat_id = $1', [id])).rows[0]
      ?.closed_reason;
  /** As Telegram does: again until it is taken. */
  const postSurely = async (one: object) => {
    for (let status = 0; status !== 200;) {
      status = await post(one);
      expect([200, 503]).toContain(status);
    }
  };

  test('that are posted at one moment, in whatever order, leave it as the last one says', async () => {
    const people = Array.from({ length: 20 }, () => newPersonId());
    const updates = people.flatMap((id, index) => {
      const [block, unblock] = [newUpdateId(), newUpdateId()];
      const both = [member(id, block, 'kicked'), member(id, unblock, 'member')];
      return index % 2 === 0 ? both : both.toReversed();
    });
    await Promise.all(updates.map(postSurely));
    expect(await Promise.all(people.map(closedReason))).toEqual(people.map(() => null));
  });

  test('are worked on one at a time by two processes too', async () => {
    const port = await freePort();
    const other = `http://127.0.0.1:${port}/telegram/webhook`;
    await navbat.start('apps/bot/main.ts', [], 'bot ready', { BOT_PORT: String(port) });
    const postToOther = async (one: object) => {
      const headers = { 'X-Telegram-Bot-Api-Secret-Token': secret };
      let status = 0;
      while (status !== 200) {
        status = (await fetch(other, { method: 'POST', headers, body: JSON.stringify(one) })).status;
        expect([200, 503]).toContain(status);
      }
    };
    const people = Array.from({ length: 20 }, () => newPersonId());
    await Promise.all(
      people.flatMap((id) => {
        const [unblock, block] = [newUpdateId(), newUpdateId()];
        return [postSurely(member(id, block, 'kicked')), postToOther(member(id, unblock, 'member'))];
      }),
    );
    expect(await Promise.all(people.map(closedReason))).toEqual(people.map(() => 'bot-blocked'));
  });
});
