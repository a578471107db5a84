import { createHash, createHmac, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { asPerson } from './devices.ts';
import { type Navbat, type Reply, startNavbat } from './navbat.ts';
import { type PhoneSession, send } from './phone.ts';
import { platformApp } from './platform.ts';

/** What tests of signing in share: a shop with its own service, a bank with an app, Navbat's app, and what these answer. */

export async function startWithShops(env: Readonly<Record<string, string>> = {}) {
  const navbat = await startNavbat({ env: { TELEGRAM_CHAT_GAP_MS: '1', ...env } });
  const shop = await navbat.createProject({ settings: { display_name: 'Shop', telegram_sign_in: true } });
  const bank = await navbat.createProject({
    access: 'publishable',
    scopes: ['public'],
    settings: { telegram_sign_in: true },
  });
  return { navbat, shop, bank, app: await platformApp(navbat) };
}

export const listOf = (navbat: Navbat, session: Pick<PhoneSession, 'access_token'>) =>
  asPerson(navbat, session)('GET', '/auth/sessions');
export const refresh = ({ apiUrl }: Navbat, refresh_token: string) =>
  send(`${apiUrl}/auth/refresh`, 'POST', { refresh_token });

export const statusesOf = (replies: readonly Reply[]) =>
  replies.map(({ status }) => status).toSorted((a, b) => a - b);
export const problem = (status: number, type: string, more: object = {}) => ({
  status,
  body: { type: `urn:navbat:problem:${type}`, ...more },
});
export const TOKENS = {
  status: 200,
  body: {
    access_token: expect.stringMatching(/^ey[\w-]+\.[\w-]+\.[\w-]+$/),
    token_type: 'Bearer',
    expires_in: 600,
    refresh_token: expect.stringMatching(/^[\w-]{70}$/),
    sub: expect.any(String),
    session_id: expect.any(String),
  },
};

/** As the Login widget of a bot hands it to a page. */
export function widgetOf(botToken: string, telegramId: number, ageSeconds = 0) {
  const fields = {
    id: telegramId,
    first_name: 'Aziza',
    username: `aziza${randomBytes(4).toString('hex')}`,
    auth_date: Math.floor(Date.now() / 1_000) - ageSeconds,
  };
  const key = createHash('sha256').update(botToken).digest();
  return { ...fields, hash: createHmac('sha256', key).update(linesOf(fields)).digest('hex') };
}

/** What Telegram signs. */
export const linesOf = (fields: object) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join('\n');
