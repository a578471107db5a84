import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from 'node-telegram-bot-api';
import { expect, onTestFinished } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../apps/sandbox/start-sandbox.ts';

export const ACCOUNT = `AC${'1'.repeat(32)}`;
export const AUTH_TOKEN = 'f'.repeat(32);
export const BOT_TOKEN = '7000000001:AAabcdefghijklmnopqrstuvwxyz0123456';
export const GATEWAY_TOKEN = 'AAEAAAABgatewaytokenofthesandbox';
export const PHONE = '+998901234567';
export const PLAY_MOBILE = { login: 'navbat', password: 'play-mobile-password-of-the-sandbox' };
export const SENDER = '+15005550006';

/** A directory of its own, gone after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A sandbox on a free port, closed after the test; callbacks are repeated after 10 ms. */
export async function freshSandbox(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const directory = options.directory ?? (await temporaryDirectory());
  const sandbox = await startSandbox({
    port: 0,
    directory,
    ...options,
    timing: { callbackPauseMs: 10, ...options.timing },
  });
  onTestFinished(() => sandbox.close());
  return sandbox;
}

export interface Received {
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver of callbacks: what came, and what it answers to each. */
export async function receiver(
  answer: (received: Received, count: number) => number = () => 200,
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const one = { url: request.url ?? '', headers: request.headers, body };
      received.push(one);
      response.writeHead(answer(one, received.length)).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** A chat with a person. */
export const CHAT = 4242;

/** Telegram's own client. */
export function apiOf({ url }: Pick<Sandbox, 'url'>, token = BOT_TOKEN): Api {
  return new Api(token, { apiRoot: url, maxRetries: 0 });
}

/** Acts as a person would in the Telegram app. */
export async function person({ url }: Pick<Sandbox, 'url'>, act: object, expected = 201): Promise<unknown> {
  const response = await fetch(`${url}/telegram/updates`, {
    method: 'POST',
    body: JSON.stringify({ chat_id: CHAT, ...act }),
  });
  expect(response.status).toBe(expected);
  return response.json();
}

/** The bot writes into a chat. */
export async function say({ url }: Pick<Sandbox, 'url'>, chat: number, text: string): Promise<void> {
  const body = new URLSearchParams({ chat_id: String(chat), text });
  const response = await fetch(`${url}/bot${BOT_TOKEN}/sendMessage`, { method: 'POST', body });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
}
