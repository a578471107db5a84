import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { Caller, type Callback, isCallbackUrl } from '../../../apps/sandbox/caller.ts';
import { Timers } from '../../../apps/sandbox/timers.ts';
import { receiver } from './support.ts';

function callerWith(lines: string[] = []) {
  const timers = new Timers();
  const caller = new Caller(timers, pino({}, { write: (line: string) => void lines.push(line) }));
  onTestFinished(() => {
    timers.clear();
    caller.close();
  });
  return caller;
}

const callback = (url: string, more: Partial<Callback> = {}): Callback => ({
  url,
  compose: () => ({ headers: {}, body: 'a report' }),
  accepts: (status) => status === 200,
  triesMax: 3,
  pauseMs: 5,
  ...more,
});

test('a callback is posted until it is taken, composed anew for each try', async () => {
  const { url, received } = await receiver((_one, count) => (count < 3 ? 500 : 200));
  const tries: (number | undefined)[] = [];
  let composed = 0;
  const taken = await callerWith().deliver(
    callback(`${url}/told?token=a`, {
      compose: () => ({ headers: { 'x-try': String(++composed) }, body: 'a report' }),
      onTry: (status) => tries.push(status),
    }),
  );
  expect([taken, tries]).toEqual([true, [500, 500, 200]]);
  expect(received.map(({ url: path, headers, body }) => [path, headers['x-try'], body])).toEqual(
    ['1', '2', '3'].map((n) => ['/told?token=a', n, 'a report']),
  );
});

test('after its tries it is given up, with a line that holds no secret of the path', async () => {
  const lines: string[] = [];
  const { url, received } = await receiver(() => 204);
  expect(await callerWith(lines).deliver(callback(`${url}/told?token=hidden`))).toBe(false);
  expect(received).toHaveLength(3);
  expect(lines.join('')).toMatch(/callback given up/);
  expect(lines.join('')).not.toContain('hidden');
  // Nobody there is a try like any other.
  const tries: (number | undefined)[] = [];
  const nowhere = callback('http://127.0.0.1:1/', { triesMax: 2, onTry: (status) => tries.push(status) });
  expect([await callerWith().deliver(nowhere), tries]).toEqual([false, [undefined, undefined]]);
});

test('what nobody wants any more is not tried again', async () => {
  const { url, received } = await receiver(() => 500);
  expect(await callerWith().deliver(callback(url, { abandoned: () => true }))).toBe(false);
  expect(received).toHaveLength(1);
});

test('a callback goes to http and https alone', () => {
  expect(['http://a.example/b', 'https://a.example'].every(isCallbackUrl)).toBe(true);
  expect(['file:///etc/passwd', 'ftp://a.example', 'a.example', ''].some(isCallbackUrl)).toBe(false);
});
