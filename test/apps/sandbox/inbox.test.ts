import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { CALLS_FILE } from '../../../apps/sandbox/calls.ts';
import { INBOX_MESSAGES_MAX, MESSAGES_FILE } from '../../../apps/sandbox/inbox.ts';
import { Journal, readTail } from '../../../apps/sandbox/journal.ts';
import { smsSegments } from '../../../domain/shared/sms-segments.ts';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/start-sandbox.ts';
import { BOT_TOKEN, freshSandbox, temporaryDirectory } from './support.ts';
import { eventually } from '../../support/eventually.ts';

async function say({ url }: Sandbox, chat: number, text: string): Promise<void> {
  const body = new URLSearchParams({ chat_id: String(chat), text });
  const response = await fetch(`${url}/bot${BOT_TOKEN}/sendMessage`, { method: 'POST', body });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
}
const texts = (messages: readonly { text: string }[]) => messages.map(({ text }) => text);

describe('/inbox.json', () => {
  test('is an array, newest last, by recipient, channel, time, id and number', async () => {
    let now = new Date('2026-01-15T10:00:00.000Z');
    const sandbox = await freshSandbox({ clock: () => now });
    await say(sandbox, 1, 'a');
    now = new Date('2026-01-15T10:00:01.000Z');
    await say(sandbox, 2, 'b');
    await say(sandbox, 1, 'c');
    const get = async (query: string) =>
      texts((await (await fetch(`${sandbox.url}/inbox.json${query}`)).json()) as { text: string }[]);
    expect(await get('')).toEqual(['a', 'b', 'c']);
    expect(await get('?to=1')).toEqual(['a', 'c']);
    expect(await get('?channel=sms')).toEqual([]);
    expect(await get('?since=2026-01-15T10:00:00.000Z')).toEqual(['b', 'c']);
    expect(await get('?after=2')).toEqual(['c']);
    expect(await get('?limit=2')).toEqual(['b', 'c']);
    expect((await fetch(`${sandbox.url}/inbox.json?channel=pigeon`)).status).toBe(400);
  });

  test('a plus that curl leaves unescaped still finds the number', async () => {
    const sandbox = await freshSandbox();
    await fetch(
      `${sandbox.url}/gateway/sendVerificationMessage?phone_number=%2B998901234567&code=123456&access_token=t`,
    );
    const found = await fetch(`${sandbox.url}/inbox.json?to=+998901234567`);
    expect(await found.json()).toMatchObject([
      { id: '1', channel: 'telegram-gateway', to: '+998901234567', text: 'Your code: 123456' },
    ]);
  });

  test('and the files behind it are their owner’s alone, an older folder too', async () => {
    const directory = await temporaryDirectory();
    await chmod(directory, 0o755);
    await freshSandbox({ directory });
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    for (const file of [MESSAGES_FILE, CALLS_FILE])
      expect((await stat(join(directory, file))).mode & 0o777, file).toBe(0o600);
  });

  test('empties on DELETE, also after a restart, while the log keeps every line', async () => {
    const directory = await temporaryDirectory();
    const first = await freshSandbox({ directory });
    await say(first, 1, 'before');
    expect(await (await fetch(`${first.url}/inbox.json`, { method: 'DELETE' })).json()).toEqual([]);
    await say(first, 1, 'after');
    await first.close();
    const second = await freshSandbox({ directory });
    expect(second.inbox()).toMatchObject([{ text: 'after', id: '2' }]);
    expect(await readFile(join(directory, MESSAGES_FILE), 'utf8')).toContain('before');
  });
});

describe('the state on disk', () => {
  test('brings the inbox back after a restart, edited and deleted messages included', async () => {
    const directory = await temporaryDirectory();
    const first = await freshSandbox({ directory });
    await say(first, 1, 'one');
    await say(first, 1, 'two');
    await fetch(`${first.url}/bot${BOT_TOKEN}/editMessageText?chat_id=1&message_id=1&text=edited`);
    await fetch(`${first.url}/bot${BOT_TOKEN}/deleteMessage?chat_id=1&message_id=2`);
    const before = first.inbox();
    await first.close();
    const second = await freshSandbox({ directory });
    expect(second.inbox()).toEqual(before);
    await say(second, 1, 'three');
    expect(second.inbox().at(-1)).toMatchObject({ id: '3', provider_reference: '3' });
  });

  test('stands in the files soon after, messages and calls', async () => {
    const directory = await temporaryDirectory();
    const sandbox = await freshSandbox({ directory });
    await say(sandbox, 1, 'hello');
    const lines = async (file: string) =>
      (await readFile(join(directory, file), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
    await eventually(async () =>
      expect(await lines(MESSAGES_FILE)).toMatchObject([
        { id: '1', channel: 'telegram', to: '1', text: 'hello', provider_reference: '1' },
      ]),
    );
    await eventually(async () =>
      expect(await lines(CALLS_FILE)).toMatchObject([
        { channel: 'telegram', method: 'sendMessage', to: '1', status: 200, message_id: '1' },
      ]),
    );
    expect(await readFile(join(directory, CALLS_FILE), 'utf8')).not.toContain('hello');
  });

  test('a line torn by a kill costs that line only', async () => {
    const directory = await temporaryDirectory();
    const first = await freshSandbox({ directory });
    await say(first, 1, 'whole');
    await first.close();
    await appendFile(join(directory, MESSAGES_FILE), '{"id":"2","channel":"tele');
    const second = await freshSandbox({ directory });
    expect(texts(second.inbox())).toEqual(['whole']);
    await say(second, 1, 'next');
    await second.close();
    const third = await freshSandbox({ directory });
    expect(texts(third.inbox())).toEqual(['whole', 'next']);
  });

  test('a file that grew too large is set aside at a start, and still read back', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'some.jsonl');
    const silent = pino({ level: 'silent' });
    const first = await Journal.open(path, silent);
    for (let id = 1; id <= 3; id += 1) first.append({ id });
    await first.close();
    const second = await Journal.open(path, silent, 10);
    second.append({ id: 4 });
    await second.close();
    expect(await readFile(path, 'utf8')).toBe('{"id":4}\n');
    expect(await readTail(path, 1_000)).toEqual([1, 2, 3, 4].map((id) => ({ id })));
  });

  test('two sandboxes in a row number their messages on, and memory stays bounded', async () => {
    const directory = await temporaryDirectory();
    const line = (id: number) =>
      JSON.stringify({
        id: String(id),
        channel: 'push',
        to: `t${id % 7}`,
        from: 'p',
        text: 'x',
        received_at: '2026-01-15T10:00:00.000Z',
        provider_reference: `r${id}`,
        status: 'delivered',
        fate: 'delivered',
        details: {},
      });
    const many = Array.from({ length: INBOX_MESSAGES_MAX + 5_000 }, (_, index) => line(index + 1));
    await appendFile(join(directory, MESSAGES_FILE), `${many.join('\n')}\n`);
    const sandbox = await freshSandbox({ directory });
    const kept = sandbox.inbox();
    expect(kept.length).toBeLessThan(INBOX_MESSAGES_MAX + 1_000);
    expect(kept.length).toBeGreaterThanOrEqual(INBOX_MESSAGES_MAX - 1_000);
    expect(
      sandbox.inbox({ to: 't3' }).length +
        [0, 1, 2, 4, 5, 6].reduce((sum, each) => sum + sandbox.inbox({ to: `t${each}` }).length, 0),
    ).toBe(kept.length);
    await say(sandbox, 1, 'next');
    expect(sandbox.inbox().at(-1)?.id).toBe(String(many.length + 1));
  });
});

describe('the page', () => {
  test('shows conversations and one of them, escaped, under a policy that lets nothing else in', async () => {
    const sandbox = await freshSandbox();
    await say(sandbox, 7, '<img src=x onerror=alert(1)> code 482910');
    const response = await fetch(`${sandbox.url}/inbox?to=7`);
    const page = await response.text();
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(page).toMatch(/<button type="button" class="code" title="Copy">482910<\/button>/);
    const policy = response.headers.get('content-security-policy') ?? '';
    const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1];
    expect(policy).toContain("default-src 'none'");
    expect(page).toContain(`<script nonce="${nonce}">`);
    expect(page).not.toMatch(/\son\w+=(?!alert)|style="|https?:\/\//);
  });

  test('costs 304 while nothing is new', async () => {
    const sandbox = await freshSandbox();
    const first = await fetch(`${sandbox.url}/inbox`);
    const headers = { 'if-none-match': first.headers.get('etag') ?? '' };
    expect((await fetch(`${sandbox.url}/inbox`, { headers })).status).toBe(304);
    await say(sandbox, 7, 'new');
    expect((await fetch(`${sandbox.url}/inbox`, { headers })).status).toBe(200);
  });

  test('lets a person answer a bot, but no other site', async () => {
    const sandbox = await freshSandbox();
    await say(sandbox, 7, 'Share your number?');
    const post = (headers: Record<string, string> = {}) =>
      fetch(`${sandbox.url}/telegram/say`, {
        method: 'POST',
        redirect: 'manual',
        headers,
        body: new URLSearchParams({ chat_id: '7', act: 'contact', value: 'Share' }),
      });
    expect((await post({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    const answered = await post();
    expect([answered.status, answered.headers.get('location')]).toEqual([303, '/inbox?to=7']);
    const updates = await (await fetch(`${sandbox.url}/bot${BOT_TOKEN}/getUpdates`)).json();
    expect(updates).toMatchObject({
      result: [{ message: { contact: { user_id: 7, phone_number: '+998900000007' } } }],
    });
  });
});

describe('production', () => {
  test('is refused by the factory and by the process, which exits with 1 and says why', async () => {
    const before = process.env['NODE_ENV'];
    try {
      process.env['NODE_ENV'] = 'production';
      await expect(startSandbox({ port: 0, directory: await temporaryDirectory() })).rejects.toThrow(
        'never starts when NODE_ENV is production',
      );
    } finally {
      process.env['NODE_ENV'] = before;
    }
    const child = spawn(process.execPath, ['apps/sandbox/main.ts'], {
      env: { ...process.env, NODE_ENV: 'production' },
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(1);
    expect(said).toContain('never starts when NODE_ENV is production');
  });
});

test('the process starts, serves, logs no text and stops on SIGTERM', async () => {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const child = spawn(process.execPath, ['apps/sandbox/main.ts'], {
    env: {
      ...process.env,
      NODE_ENV: 'test',
      NAVBAT_HOME: directory,
      SANDBOX_PORT: String(port),
      LOG_LEVEL: 'debug',
    },
  });
  let said = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('sandbox ready')) resolve();
    });
  });
  await ready;
  const url = `http://127.0.0.1:${port}`;
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
  await fetch(`${url}/bot${BOT_TOKEN}/sendMessage?chat_id=5&text=very-private`);
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
  expect(said).not.toContain('very-private');
  expect(await readFile(join(directory, 'sandbox', MESSAGES_FILE), 'utf8')).toContain('very-private');
});

async function freePort(): Promise<number> {
  const sandbox = await startSandbox({ port: 0, directory: await temporaryDirectory() });
  await sandbox.close();
  return sandbox.port;
}

test.each([
  { text: 'x'.repeat(160), segments: 1 },
  { text: 'x'.repeat(161), segments: 2 },
  { text: '€'.repeat(80), segments: 1 },
  { text: '€'.repeat(81), segments: 2 },
  { text: 'ш'.repeat(70), segments: 1 },
  { text: 'ш'.repeat(71), segments: 2 },
  { text: 'x'.repeat(307), segments: 3 },
])('$text.length characters are $segments parts', ({ text, segments }) => {
  expect(smsSegments(text)).toBe(segments);
});
