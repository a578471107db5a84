import { expect } from 'vitest';
import { until } from '../../../support/navbat.ts';
import type { Installation } from './installation.ts';

export interface Payee {
  readonly chatId: number;
  readonly phone: string;
  readonly name: string;
}

export const payees = (count: number): readonly Payee[] =>
  Array.from({ length: count }, (_, i) => ({
    chatId: 71_000_000 + i,
    phone: `+998901${String(200_000 + i)}`,
    name: `Aliyev Vali${i}`,
  }));

/** Whoever waits asks so often that 40 of them keep no process busy. */
const STEP_MS_MAX = 120_000;

/** What a person's chat or phone was sent. */
export async function heardBy({ sandboxUrl }: Pick<Installation, 'sandboxUrl'>, to: string | number) {
  const answer = await fetch(`${sandboxUrl}/inbox.json?to=${encodeURIComponent(String(to))}`);
  const all = (await answer.json()) as { text: string }[];
  return all.map(({ text }) => text);
}

/** /start, the contact and the code: from then on the bot can send the person what is for them. */
export async function joinBot(at: Installation, { chatId, phone }: Payee): Promise<void> {
  const act = async (action: object) => {
    const body = JSON.stringify({ chat_id: chatId, language_code: 'uz', ...action });
    expect((await fetch(`${at.sandboxUrl}/telegram/updates`, { method: 'POST', body })).status).toBe(201);
  };
  const hears = (words: RegExp) =>
    until(
      async () => (await heardBy(at, chatId)).map((text) => words.exec(text)?.[0]).find(Boolean),
      STEP_MS_MAX,
    );
  await act({ text: '/start' });
  await act({ contact: { phone_number: phone.slice(1), user_id: chatId } });
  await act({ text: await hears(/\b\d{6}\b/) });
  await hears(/muvaffaqiyatli/);
}

/** Opens the link of the message and presses its button; the rail's people type the card. */
export async function answerLink(at: Installation, { chatId }: Payee): Promise<void> {
  const url = await until(
    async () =>
      (await heardBy(at, chatId)).map((text) => /http\S+payout-links\/\S+/.exec(text)?.[0]).findLast(Boolean),
    STEP_MS_MAX,
  );
  expect((await fetch(url)).status).toBe(200);
  const headers = { Origin: at.apiUrl, 'Content-Type': 'application/x-www-form-urlencoded' };
  expect((await fetch(url, { method: 'POST', headers, body: '' })).status).toBe(200);
}
