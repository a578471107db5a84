import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CALLS_FILE } from '../../../apps/sandbox/calls.ts';
import { MESSAGES_FILE } from '../../../apps/sandbox/inbox.ts';
import { freshSandbox, say, temporaryDirectory } from './support.ts';

const texts = (messages: readonly { text: string }[]) => messages.map(({ text }) => text);

test.each([
  [{ channel: 'sms', effect: 'reject' }, /^\[0\]\.code: expected one of the provider's codes, .*README/],
  [{ channel: 'sms', effect: 'explode' }, /^\[0\]\.effect: expected one of "slow", "reject"/],
  [{ channel: 'sms', effect: 'slow', delay: 5 }, /^\[0\]\.delay: There is no such field\.$/],
  [
    { channel: 'sms', effect: 'lossy', share: 1, seed: 'a' },
    /^\[0\]\.seed: expected an? \w+, and not a text$/,
  ],
])('a fault that does not fit is told by its place and what was expected: %j', async (order, words) => {
  const sandbox = await freshSandbox();
  const answer = await fetch(`${sandbox.url}/faults`, { method: 'PUT', body: JSON.stringify(order) });
  expect(answer.status).toBe(400);
  expect(((await answer.json()) as { error: string }).error).toMatch(words);
});

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
