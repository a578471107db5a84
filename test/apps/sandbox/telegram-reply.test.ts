import { expect, test } from 'vitest';
import { TELEGRAM_REFUSALS } from '../../../apps/sandbox/telegram-errors.ts';
import { ok, telegramDialect, tooMany } from '../../../apps/sandbox/telegram-reply.ts';

const body = (reply: object) =>
  JSON.parse(String((reply as { body: unknown }).body)) as Record<string, unknown>;

test('an answer says whether it is one, in its body as in its status', () => {
  expect(body(ok(true))).toEqual({ ok: true, result: true });
  for (const [code, refusal] of Object.entries(TELEGRAM_REFUSALS)) {
    const reply = telegramDialect.rejected(code);
    expect(reply, code).toMatchObject({ status: refusal.code });
    expect(body(reply)).toEqual({ ok: false, error_code: refusal.code, description: refusal.description });
  }
});

test('a refusal that there is not is that of a chat that was not found', () => {
  expect(body(telegramDialect.rejected('of-tomorrow'))['description']).toContain('chat not found');
});

test('too many are told how long to wait, in the header and in the body', () => {
  const reply = tooMany(7);
  expect(reply).toMatchObject({ status: 429, headers: { 'retry-after': '7' } });
  expect(body(reply)).toMatchObject({ error_code: 429, parameters: { retry_after: 7 } });
});
