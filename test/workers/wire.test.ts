import { expect, test } from 'vitest';
import { jobs } from '../../domain/jobs.ts';
import { missing, whole } from '../../workers/wire.ts';

test('what was accepted before its provider was switched off is refused, and its address lives on', async () => {
  const reply = await missing('webhook').send({}, new AbortController().signal);
  expect(reply).toEqual({ kind: 'refused', reason: 'credentials', addressIsDead: false });
});

test('a kind with one provider may use every place, and no more', async () => {
  const provider = whole('webhook', missing<object>('webhook'), () => new Date());
  for (let n = 0; n < jobs.webhook.concurrency; n++)
    expect((await provider.enterSoon()).entered, `place ${n + 1}`).toBe(true);
  expect((await provider.enterSoon()).entered).toBe(false);
});
