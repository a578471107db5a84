import { expect, test } from 'vitest';
import type { z } from 'zod';
import { PushSend, RECIPIENTS_MAX, TelegramSend } from '../../../../domain/message/broadcast/broadcast.ts';

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
