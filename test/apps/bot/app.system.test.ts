import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { until } from '../../support/navbat.ts';
import { openBot } from './open-bot.ts';

const { navbat, secret, post, messagesTo, newUpdateId, newPersonId, update, contactOf } = await openBot();
const rowOf = async (id: number) =>
  (await navbat.db.query('select * from users where telegram_id = $1', [id])).rows[0];

test('Telegram is told where to post, and what it posts is acted upon', async () => {
  const id = newPersonId();
  const act = (action: object) =>
    fetch(`${navbat.sandbox.url}/telegram/updates`, {
      method: 'POST',
      body: JSON.stringify({ chat_id: id, ...action }),
    });
  await act({ text: '/start' });
  await act({ contact: { phone_number: `+99890777${id}` } });
  await until(async () => messagesTo(id).some(({ text }) => text.startsWith('Tasdiqlash kodingiz')));
  const code = /\d{6}/.exec(
    messagesTo(id).find(({ text }) => text.startsWith('Tasdiqlash'))?.text ?? '',
  )?.[0];
  await act({ text: code });
  await until(async () => (await rowOf(id))?.is_verified);
});

describe('who posts', () => {
  test.each([
    ['without a secret', null],
    ['with another one', randomBytes(24).toString('base64url')],
    ['with the first half of it', secret.slice(0, 16)],
    ['with one character too many', `${secret}A`],
  ])('%s is refused, and nothing comes of it', async (_how, token) => {
    const id = newPersonId();
    expect(await post(contactOf(id), token)).toBe(401);
    expect(await rowOf(id)).toBeUndefined();
  });

  test('what is no update is a 400, and too long a one a 413', async () => {
    expect(await post('{')).toBe(400);
    expect(await post({ message: {} })).toBe(400);
    expect(await post({ ...update(1, {}), padding: 'x'.repeat(300_000) })).toBe(413);
  });

  test('an update of a kind that nobody asked for is confirmed', async () => {
    expect(await post({ update_id: newUpdateId(), poll: { id: '1' } })).toBe(200);
  });
});

test('a fault is a 5xx, so that Telegram posts the update again', async () => {
  const id = newPersonId();
  const same = contactOf(id);
  await navbat.db.query('alter table users rename to users_away');
  try {
    expect(await post(same)).toBe(500);
  } finally {
    await navbat.db.query('alter table users_away rename to users');
  }
  expect(await post(same)).toBe(200);
  expect(await rowOf(id)).toMatchObject({ phone_number: `+99890777${id}` });
});
