import { expect, onTestFinished, test } from 'vitest';
import { headerOf, keptAlive, post, urlAt } from '../../../infra/providers/http.ts';
import { answering, deadline, http } from './support.ts';

function agent() {
  const one = keptAlive();
  onTestFinished(() => one.destroy());
  return one;
}
const postTo = (url: string) => post(agent(), { url, headers: {}, body: '{}' }, deadline());
const TOO_LONG = 'x'.repeat(70_000);

test('no redirect is followed: a message that is posted again is a second message', async () => {
  const second = await answering(http('200 OK', 'second'));
  const answer = await postTo(await answering(http('307 Temporary Redirect', '', `location: ${second}\r\n`)));
  expect(answer.status).toBe(307);
  expect(headerOf(answer.headers, 'location')).toBe(second);
});

test('a refusal whose page is too long, or breaks off, is known by its status; a success is not', async () => {
  expect(await postTo(await answering(http('403 No', TOO_LONG)))).toMatchObject({ status: 403, text: '' });
  const cut = 'HTTP/1.1 500 No\r\ncontent-length: 100\r\n\r\n{"ok":';
  expect(await postTo(await answering(cut))).toMatchObject({ status: 500, text: '' });
  await expect(postTo(await answering(http('200 OK', TOO_LONG)))).rejects.toThrow('max size');
});

test('a path is set behind that of its server, with one slash', () => {
  expect(urlAt('http://localhost:1/gateway//', '/send')).toBe('http://localhost:1/gateway/send');
});
