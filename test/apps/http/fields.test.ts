import { expect, test } from 'vitest';
import {
  checkUrl,
  Day,
  PhoneField,
  phoneIn,
  reasonBody,
  TelegramPhoneField,
  TimeField,
} from '../../../apps/http/fields.ts';

test('a phone is read as people write it into one form, and its fault is told', () => {
  for (const text of ['+998 90 123-45-67', '00998901234567', '+998(90)1234567'])
    expect(PhoneField.parse(text)).toBe('+998901234567');
  for (const text of ['', '901234567', '+998', 'x', '+998901234567'.padEnd(33)])
    expect(PhoneField.safeParse(text).success, text).toBe(false);
});

test('a plus that a query made a space is one', () => {
  expect(phoneIn(' 998901234567')).toMatchObject({ ok: true, phone: { e164: '+998901234567' } });
});

test('a contact of Telegram may lack its plus', () => {
  expect(TelegramPhoneField.parse('998901234567')).toBe('+998901234567');
  expect(PhoneField.safeParse('998901234567').success).toBe(false);
});

test('a time has its offset and lies in our years', () => {
  expect(TimeField.parse('2026-01-15T15:00:00+05:00')).toEqual(new Date('2026-01-15T10:00:00Z'));
  for (const time of [
    '2026-01-15T10:00:00',
    '2026-01-15',
    '1969-12-31T23:59:59Z',
    '9999-12-31T23:59:59-01:00',
    1,
  ])
    expect(TimeField.safeParse(time).success, String(time)).toBe(false);
});

test('a day is one of the calendar', () => {
  for (const day of ['2026-01-15', '2028-02-29']) expect(Day.safeParse(day).success).toBe(true);
  for (const day of ['2026-02-29', '2026-1-5', '1969-12-31', '2026-01-15T00:00:00Z'])
    expect(Day.safeParse(day).success, day).toBe(false);
});

test('an address that may not be called is a 400 that names its field', () => {
  const refuse = () => checkUrl(() => 'expected https', 'http://a', '/callback_url');
  expect(refuse).toThrow(
    expect.objectContaining({
      status: 400,
      errors: [{ pointer: '/callback_url', detail: 'expected https' }],
    }),
  );
  expect(() => checkUrl(() => 'expected https', undefined, '/callback_url')).not.toThrow();
  expect(() => checkUrl(() => null, 'https://a', '/callback_url')).not.toThrow();
});

test('a reason is told with its meaning and what to do; one of another version, as it is', () => {
  expect(reasonBody('budget-spent')).toMatchObject({
    reason: 'budget-spent',
    reason_detail: expect.any(String),
    next_step: expect.any(String),
  });
  expect(reasonBody('of-tomorrow')).toEqual({ reason: 'of-tomorrow', reason_detail: null, next_step: null });
  expect(reasonBody(null)).toEqual({ reason: null, reason_detail: null, next_step: null });
});
