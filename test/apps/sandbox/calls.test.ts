import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { CallLog, CALLS_FILE, CALLS_KEPT_MAX } from '../../../apps/sandbox/calls.ts';
import { temporaryDirectory } from './support.ts';

const AT = new Date('2026-01-15T10:00:00.000Z');
const ok = { status: 200, headers: {}, body: 'the text of a message' };

async function openLog() {
  const directory = await temporaryDirectory();
  return { directory, calls: await CallLog.open(directory, () => AT, pino({ level: 'silent' })) };
}

test('every call to a provider is a line with its status, none where it hangs, and never the text', async () => {
  const { directory, calls } = await openLog();
  calls.record({ channel: 'sms', to: '+998901234567' }, ok);
  calls.record({ channel: 'push', to: 'token', fault: 'hang' }, { hangMs: 5 });
  // The sandbox's own pages are no calls.
  calls.record({}, ok);
  await calls.close();
  const at = AT.toISOString();
  const expected = [
    { at, channel: 'sms', to: '+998901234567', status: 200 },
    { at, channel: 'push', to: 'token', fault: 'hang', status: null },
  ];
  expect(calls.list()).toEqual(expected);
  const lines = (await readFile(join(directory, CALLS_FILE), 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(expected);
});

test('calls are listed by recipient and channel, the newest of them last', async () => {
  const { calls } = await openLog();
  for (const n of [1, 2, 3]) calls.record({ channel: 'sms', to: 'ann', message_id: `${n}` }, ok);
  calls.record({ channel: 'telegram', to: 'ann', message_id: '4' }, ok);
  const found = (filter: Parameters<CallLog['list']>[0]) =>
    calls.list(filter).map(({ message_id }) => message_id);
  expect(found({ to: 'ann', limit: 2 })).toEqual(['3', '4']);
  expect(found({ channel: 'sms' })).toEqual(['1', '2', '3']);
  expect(found({ to: 'bob' })).toEqual([]);
  await calls.close();
});

test('memory holds the newest calls and is bounded', async () => {
  const { calls } = await openLog();
  for (let n = 0; n < CALLS_KEPT_MAX + 1_500; n++) calls.record({ channel: 'sms', message_id: `${n}` }, ok);
  expect(calls.list()).toHaveLength(CALLS_KEPT_MAX);
  expect(calls.list({ limit: 1 })).toMatchObject([{ message_id: String(CALLS_KEPT_MAX + 1_499) }]);
  await calls.close();
});
