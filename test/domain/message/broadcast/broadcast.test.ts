import { expect, test } from 'vitest';
import type { z } from 'zod';
import {
  PushSend,
  RECIPIENTS_MAX,
  TelegramSend,
  timesFault,
} from '../../../../domain/message/broadcast/broadcast.ts';

/** Faults that were explained, in whatever form of a union. */
const explained = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.reduce((sum, issue) => sum + 1 + (issue.code === 'invalid_union' ? inForms(issue.errors) : 0), 0);
const inForms = (forms: readonly (readonly z.core.$ZodIssue[])[]): number =>
  forms.reduce((sum, form) => sum + explained(form), 0);

const many = (item: (n: number) => unknown) => Array.from({ length: RECIPIENTS_MAX }, (_, n) => item(n));
const faultsOf = (to: unknown, schema: typeof TelegramSend | typeof PushSend = TelegramSend) =>
  schema.safeParse({ to, text: 'x', notification: { title: 'x' } }).error?.issues ?? [];

test('of ten thousand wrong recipients few are explained, since each takes ten times what a right one does', () => {
  for (const wrong of [{}, { recipient_id: 'x' }, { chat_id: 'x' }, 1])
    expect(explained(faultsOf(many(() => wrong)))).toBeLessThan(RECIPIENTS_MAX);
  expect(
    explained(
      faultsOf(
        many(() => ({})),
        PushSend,
      ),
    ),
  ).toBeLessThan(RECIPIENTS_MAX);
});

test('a single wrong one is found wherever it stands, and the right ones are all taken', () => {
  for (const at of [0, 499, 500, 5_000, RECIPIENTS_MAX - 1])
    expect(explained(faultsOf(many((n) => ({ chat_id: n === at ? 'x' : n }))))).toBeGreaterThan(0);
  const read = TelegramSend.parse({ to: many((n) => ({ chat_id: n + 1 })), text: 'x' });
  expect(read.to).toHaveLength(RECIPIENTS_MAX);
});

const now = new Date('2026-01-15T10:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const MONTH_MS = 30 * 86_400_000;

test('a message is ordered 30 days ahead at most', () => {
  expect(timesFault(later(MONTH_MS), later(MONTH_MS + 1), now)).toBeNull();
  expect(timesFault(later(MONTH_MS + 1), later(MONTH_MS + 2), now)?.field).toBe('send_at');
});

test('a message that would end before it begins, or has ended already, is refused', () => {
  expect(timesFault(now, later(1), now)).toBeNull();
  expect(timesFault(later(5), later(5), now)?.field).toBe('expires_at');
  expect(timesFault(later(-10), now, now)?.field).toBe('expires_at');
  expect(timesFault(later(-10), later(-5), now)?.field).toBe('expires_at');
});

test('one recipient more than ten thousand is refused, and so is none', () => {
  const send = (count: number) =>
    TelegramSend.safeParse({ to: Array.from({ length: count }, (_, n) => ({ chat_id: n + 1 })), text: 'x' });
  expect(send(RECIPIENTS_MAX).success).toBe(true);
  expect(send(RECIPIENTS_MAX + 1).success).toBe(false);
  expect(send(0).success).toBe(false);
});

test('a recipient is named in one way, and a key for repeats is visible text of 128 characters at most', () => {
  const id = '01990000-0000-7000-8000-000000000001';
  const takes = (more: object) => TelegramSend.safeParse({ to: { chat_id: 1 }, text: 'x', ...more }).success;
  for (const to of [{ chat_id: 1 }, { chat_id: -1 }, { recipient_id: id }]) expect(takes({ to })).toBe(true);
  for (const to of [{}, { chat_id: 0 }, { chat_id: 1, recipient_id: id }, 1, id])
    expect(takes({ to })).toBe(false);
  expect(takes({ dedupe_key: 'k'.repeat(128) })).toBe(true);
  for (const dedupe_key of ['', 'a b', 'k'.repeat(129), 'к', 'a\n'])
    expect(takes({ dedupe_key })).toBe(false);
});
