import { randomBytes } from 'node:crypto';
import { afterAll } from 'vitest';
import { freePort } from '../../../infra/embedded/port.ts';
import { startNavbat } from '../../support/navbat.ts';

const SLUG = 'school';

/** A bot of this file's own over the sandbox of Telegram, and Telegram's side of its webhook. */
export async function openBot() {
  const secret = randomBytes(24).toString('base64url');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const navbat = await startNavbat({
    processes: ['worker'],
    env: {
      TELEGRAM_CHAT_GAP_MS: '1',
      BOT_PROJECT: SLUG,
      BOT_PORT: String(port),
      PUBLIC_URL: url,
      TELEGRAM_WEBHOOK_SECRET: secret,
    },
  });
  afterAll(() => navbat.stop());
  const { id: projectId } = await navbat.createProject();
  await navbat.db.query('update project set slug = $2 where id = $1', [projectId, SLUG]);
  await navbat.start('apps/bot/main.ts', [], 'bot ready');
  const post = async (update: unknown, token: string | null = secret) => {
    const headers = token === null ? {} : { 'X-Telegram-Bot-Api-Secret-Token': token };
    const body = typeof update === 'string' ? update : JSON.stringify(update);
    const { status } = await fetch(`${url}/telegram/webhook`, { method: 'POST', headers, body });
    return status;
  };
  const messagesTo = (id: number) => navbat.sandbox.inbox({ to: String(id) });
  return { navbat, secret, post, messagesTo, ...updates() };
}

/** What people do in their chats with the bot. */
function updates() {
  let lastUpdate = 900_000;
  let lastPerson = 7_000;
  const newUpdateId = () => ++lastUpdate;
  const update = (id: number, content: object) => {
    const from = { id, is_bot: false, first_name: 'Aziza' };
    const message = { message_id: 1, date: 1, from, chat: { id, type: 'private' }, ...content };
    return { update_id: newUpdateId(), message };
  };
  const contactOf = (id: number) =>
    update(id, { contact: { phone_number: `99890777${id}`, first_name: 'Aziza', user_id: id } });
  return { newUpdateId, newPersonId: () => ++lastPerson, update, contactOf };
}
