import { describe, expect, test } from 'vitest';
import {
  freshMulticard,
  linesOf,
  orderOf,
  paidIn,
  railAt,
} from '../../../apps/sandbox/pay/multicard-world.ts';
import { deadline } from '../support.ts';
import { draftOn, loginsOf, refusal } from './multicard-client.ts';

describe('the sign-in', () => {
  test('serves fifty drafts at once', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    const all = Array.from({ length: 50 }, (_, n) => rail.draft(orderOf(`d-${n}`), deadline()));
    expect(new Set((await Promise.all(all)).map(({ kind }) => kind))).toEqual(new Set(['answered']));
    expect(await loginsOf(box)).toBe(1);
  });

  test('is renewed once for fifty who meet an expired token, and each draft is made once', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    await draftOn(rail, 'first');
    await fetch(`${box.url}/control/tokens/expire`, { method: 'POST' });
    await new Promise((resolve) => setTimeout(resolve, 2));
    const all = Array.from({ length: 50 }, (_, n) => rail.draft(orderOf(`d-${n}`), deadline()));
    expect(new Set((await Promise.all(all)).map(({ kind }) => kind))).toEqual(new Set(['answered']));
    expect(await loginsOf(box)).toBe(2);
    expect(box.payments()).toHaveLength(51);
  });

  test('that was renewed while a 401 was on its way is not renewed for it again', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    await draftOn(rail, 'first');
    box.orderFaults(
      { on: 'draft', effect: 'expired-token', times: 1, delay_ms: 300 },
      { on: 'draft', effect: 'expired-token', times: 1 },
    );
    const late = rail.draft(orderOf('d-1'), deadline());
    const hasCome = async () =>
      (await linesOf(box)).some((line) => line.t === 'begin' && line.reference === 'd-1');
    await expect.poll(hasCome).toBe(true);
    expect(await rail.draft(orderOf('d-2'), deadline())).toMatchObject({ kind: 'answered' });
    expect(await late).toMatchObject({ kind: 'answered' });
    expect(await loginsOf(box)).toBe(2);
  });

  test('ends when it says, in GMT+5, a minute before which it is renewed', async () => {
    const start = Date.parse('2026-11-29T18:00:00Z');
    let nowMs = start;
    const clock = () => new Date(nowMs);
    const box = await freshMulticard({ clock });
    const rail = railAt(box.url, { clock });
    const loginsAt = async (afterMs: number) => {
      nowMs = start + afterMs;
      await rail.wallet(deadline());
      return loginsOf(box);
    };
    expect(await loginsAt(0)).toBe(1);
    expect(await loginsAt(86_400_000 - 60_001)).toBe(1);
    expect(await loginsAt(86_400_000 - 59_999)).toBe(2);
    const refusals = (await linesOf(box)).filter((line) => line.t === 'end' && line.status === 401);
    expect(refusals).toEqual([]);
  });

  test('with a wrong secret is tried once, and nothing leaves', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url, { secret: 'another' });
    for (let n = 0; n < 3; n += 1)
      expect(await rail.draft(orderOf('d-1'), deadline())).toEqual(
        refusal('HTTP 400 to the login', 'denied', true),
      );
    expect(await loginsOf(box)).toBe(1);
    expect(box.payments()).toEqual([]);
  });

  test.each(['hang-before', 'error-before', 'garbage-before'] as const)(
    'that fails by %s is no unknown payment: nothing left',
    async (effect) => {
      const box = await freshMulticard();
      box.orderFaults({ on: 'auth', effect });
      expect(await railAt(box.url).draft(orderOf('d-1'), deadline(300))).toMatchObject({
        kind: 'refused',
        because: 'signed-out',
        retryable: true,
      });
      expect(box.payments()).toEqual([]);
    },
  );
});

describe('what may not begin any more', () => {
  const late = { kind: 'refused', code: 'too late to begin', because: 'signed-out', retryable: true };

  test('does not leave after a sign-in that was waited for', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    const began = Date.now();
    box.orderFaults({ on: 'auth', effect: 'slow', delay_ms: 300 });
    const mayBegin = () => Date.now() - began < 200;
    expect(await rail.draft(orderOf('d-1'), deadline(), mayBegin)).toEqual(late);
    expect(box.payments()).toEqual([]);
    expect(await rail.draft(orderOf('d-1'), deadline())).toMatchObject({ kind: 'answered' });
  });

  test('is not sent a second time with a fresh token, either', async () => {
    const box = await freshMulticard();
    const rail = railAt(box.url);
    const uuid = await draftOn(rail);
    box.orderFaults({ effect: 'expired-token', times: 1 });
    let looks = 0;
    const onlyOnce = () => (looks += 1) === 1;
    expect(await rail.confirm(uuid, deadline(), onlyOnce)).toEqual(late);
    expect(paidIn(await linesOf(box))).toEqual([]);
    expect(await rail.confirm(uuid, deadline())).toMatchObject({ value: { status: 'success' } });
  });
});
