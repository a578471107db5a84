import { expect, test } from 'vitest';
import { jsonLine, messageOf, prettyLine } from '../../../apps/local/log-lines.ts';

const line = (more: object = {}) =>
  JSON.stringify({
    level: 'info',
    time: '2026-01-15T10:00:01.000Z',
    pid: 1,
    msg: 'worker ready',
    kind: 'push',
    ...more,
  });

test('a person reads the time, the process, the message and its fields, and not what the front says', () => {
  const pretty = prettyLine('worker-push', line());
  for (const part of ['10:00:01', 'worker-push', 'worker ready', 'kind=push']) expect(pretty).toContain(part);
  expect(pretty).not.toContain('pid');
  expect(prettyLine('worker-push', line({ level: 'error' }))).toContain('error: worker ready');
});

test('a long line is cut for a person', () => {
  expect(prettyLine('api', line({ kind: 'x'.repeat(1_000) })).length).toBeLessThan(400);
});

test('what is no log line is passed on as it is, in either form', () => {
  for (const text of ['Error: boom', '{', '', '    at file.ts:1']) {
    expect(prettyLine('api', text)).toContain(text);
    expect(JSON.parse(jsonLine('api', text, new Date(0)))).toMatchObject({
      name: 'api',
      msg: text,
      level: 'warn',
    });
    expect(messageOf(text)).toBeUndefined();
  }
  expect(jsonLine('api', line(), new Date(0))).toBe(line());
  expect(messageOf(line())).toBe('worker ready');
});
