import { describe, expect, test } from 'vitest';
import { CheckRequest, lockedSince } from '../../../domain/verify/check.ts';

const id = '01990000-0000-7000-8000-000000000001';
const code = '123456';
const takes = (body: object) => CheckRequest.safeParse(body).success;

describe('a check', () => {
  test('names a code by its id or by where it went, and not by both', () => {
    expect(takes({ id, code })).toBe(true);
    expect(takes({ to: '+998901234567', code })).toBe(true);
    expect(takes({ code })).toBe(false);
    expect(takes({ id, to: '+998901234567', code })).toBe(false);
  });

  test('takes a code as people paste it, of 4 to 8 digits', () => {
    expect(CheckRequest.parse({ id, code: ' 123-456 ' }).code).toBe(code);
    for (const [digits, taken] of [
      [3, false],
      [4, true],
      [8, true],
      [9, false],
    ] as const)
      expect(takes({ id, code: '1'.repeat(digits) }), `${digits}`).toBe(taken);
  });

  test('says whatever is wrong at once where a field is wrong, and not that a rule over several is', () => {
    const wrong = CheckRequest.safeParse({ code: 'x' });
    expect(wrong.error?.issues.map(({ path }) => path)).toEqual([['code']]);
  });

  test('takes nothing beside its fields', () => {
    expect(takes({ id, code, more: 1 })).toBe(false);
    expect(takes({ id, code, client: { ip: 'localhost' } })).toBe(false);
    expect(takes({ id, code, client: { ip: '2001:db8::1' } })).toBe(true);
  });
});

test('a lock lifts a day after it was set', () => {
  const now = new Date('2026-01-15T10:00:00Z');
  expect(lockedSince(now)).toEqual(new Date('2026-01-14T10:00:00Z'));
});
