import { describe, expect, test } from 'vitest';
import { replyToStatus } from '../../../infra/providers/classify-status.ts';

const reply = (status: number, { retryAfter, paid = false }: { retryAfter?: string; paid?: boolean } = {}) =>
  replyToStatus({ status, retryAfter }, { busyMs: 5_000, paid });

describe('an answer that says nothing but its status', () => {
  test('never counts as accepted: what may have been taken is unknown', () => {
    for (let status = 100; status < 600; status += 1)
      expect(reply(status).kind, `${status}`).not.toBe('accepted');
    for (const status of [200, 201, 204]) expect(reply(status)).toMatchObject({ kind: 'unknown' });
  });

  test('of 429 waits as long as it says, a second at least, or what the provider’s rule says', () => {
    expect(reply(429)).toMatchObject({ kind: 'busy', retryAfterMs: 5_000 });
    expect(reply(429, { retryAfter: '7' })).toMatchObject({ kind: 'busy', retryAfterMs: 7_000 });
    expect(reply(429, { retryAfter: '0' })).toMatchObject({ kind: 'busy', retryAfterMs: 1_000 });
    expect(reply(429, { retryAfter: 'soon' })).toMatchObject({ retryAfterMs: 5_000 });
  });

  test('of 401, 403 or 407 is a fault of our credentials, and no address is condemned for it', () => {
    for (const status of [401, 403, 407])
      expect(reply(status)).toMatchObject({ kind: 'refused', reason: 'credentials', addressIsDead: false });
  });

  test('condemns no address, whatever it is: a front end knows none', () => {
    for (let status = 400; status < 500; status += 1)
      expect(JSON.stringify(reply(status)), `${status}`).not.toContain('"addressIsDead":true');
  });

  test('that redirects, came too late or says that nobody was there may be tried again', () => {
    for (const status of [301, 302, 408, 425, 500, 502, 503])
      expect(reply(status).kind, `${status}`).toBe('faulted');
  });

  test('of 504 is unknown where each message costs money, and tried again where none does', () => {
    expect(reply(504, { paid: true })).toMatchObject({ kind: 'unknown' });
    expect(reply(504)).toMatchObject({ kind: 'faulted' });
  });
});
