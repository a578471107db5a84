import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { CALLS_FILE } from '../../../apps/sandbox/calls.ts';
import { INBOX_MESSAGES_MAX, MESSAGES_FILE } from '../../../apps/sandbox/inbox.ts';
import { Journal, readTail } from '../../../apps/sandbox/journal.ts';
import { BOT_TOKEN, freshSandbox, say, temporaryDirectory } from './support.ts';
import { eventually } from '../../support/eventually.ts';

const texts = (messages: readonly { text: string }[]) => messages.map(({ text }) => text);

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
