import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { approvedTexts } from '../../../domain/verify/approved-texts.ts';
import {
  ANSWER_KEPT_MS,
  isDoubted,
  LIST_KEPT_MS,
  listedSince,
  moderationOf,
  type TemplateList,
  wordingOf,
} from '../../../domain/verify/text-moderation.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const ago = (ms: number) => new Date(NOW.getTime() - ms);
const datedOf = (templates: [template: string, status: string, agoMs: number][]) =>
  templates.map(([template, status, agoMs]) => ({
    template,
    status,
    isApproved: status === 'service',
    since: ago(agoMs),
  }));
const listOf = (
  templates: [template: string, status: string, agoMs: number][],
  readMsAgo = 0,
  isWhole = true,
): TemplateList => ({
  texts: approvedTexts(datedOf(templates)),
  isWhole,
  readAt: ago(readMsAgo),
  changedAt: ago(50_000),
});
const refusedAgo = (ms: number) => ({ isAccepted: false, said: 'Eskiz: no', since: ago(ms), at: ago(ms) });
const acceptedAgo = (ms: number) => ({ ...refusedAgo(ms), isAccepted: true, said: null });
const text = 'Shop: kod 123456';
const approved = listOf([['%w: kod %d', 'service', 9_000]]);

test.each([
  { what: 'nothing', known: {}, state: 'unknown', since: null },
  { what: 'an approved text', known: { list: approved }, state: 'approved', since: ago(9_000) },
  { what: 'a list without it', known: { list: listOf([]) }, state: 'not-approved', since: ago(50_000) },
  {
    what: 'one that waits',
    known: { list: listOf([['%w: kod %d', 'inproccess', 7_000]]) },
    state: 'not-approved',
    since: ago(7_000),
  },
  {
    what: 'one that waits beside an approved one',
    known: {
      list: listOf([
        ['%w: kod %d', 'rejected', 7_000],
        ['%w: %w %d{6}', 'service', 8_000],
      ]),
    },
    state: 'approved',
    since: ago(8_000),
  },
  { what: 'a refusal', known: { answer: refusedAgo(5_000) }, state: 'not-approved', since: ago(5_000) },
  {
    what: 'a refusal of what the list seems to cover',
    known: { list: approved, answer: refusedAgo(5_000) },
    state: 'not-approved',
    since: ago(5_000),
  },
  {
    what: 'an approval after a refusal',
    known: { list: approved, answer: refusedAgo(9_001) },
    state: 'approved',
    since: ago(9_000),
  },
  {
    what: 'a refusal that is nearly forgotten',
    known: { answer: refusedAgo(ANSWER_KEPT_MS - 1) },
    state: 'not-approved',
    since: ago(ANSWER_KEPT_MS - 1),
  },
  {
    what: 'a forgotten refusal',
    known: { answer: refusedAgo(ANSWER_KEPT_MS) },
    state: 'unknown',
    since: null,
  },
  {
    what: 'a list of nearly an hour ago',
    known: { list: listOf([], LIST_KEPT_MS - 1) },
    state: 'not-approved',
    since: ago(50_000),
  },
  {
    what: 'a list with gaps',
    known: { list: listOf([['%w: kod %d', 'inproccess', 7_000]], 0, false) },
    state: 'unknown',
    since: null,
  },
  {
    what: 'an approval in a list with gaps',
    known: { list: listOf([['%w: kod %d', 'service', 7_000]], 0, false) },
    state: 'approved',
    since: ago(7_000),
  },
  {
    what: 'an acceptance that the list denies',
    known: { list: listOf([]), answer: acceptedAgo(ANSWER_KEPT_MS - 1) },
    state: 'approved',
    since: ago(ANSWER_KEPT_MS - 1),
  },
  {
    what: 'a forgotten acceptance',
    known: { list: listOf([]), answer: acceptedAgo(ANSWER_KEPT_MS) },
    state: 'not-approved',
    since: ago(50_000),
  },
  { what: 'an old list', known: { list: listOf([], LIST_KEPT_MS) }, state: 'unknown', since: null },
])('$what makes a text $state', ({ known, state, since }) => {
  expect(moderationOf({ list: null, answer: null, ...known }, text, NOW)).toMatchObject({ state, since });
});

test('a wording has no number in it, whatever the digits', () => {
  expect(wordingOf('Kod 123456, 5 min. ٣٤')).toBe('Kod ######, # min. ##');
  expect(wordingOf('Kod 12345')).not.toBe(wordingOf('Kod 123456'));
  expect(wordingOf('@shop.uz #123456')).toBe(wordingOf('@shop.uz #654321'));
});

test('what a list had before keeps its time, and another state of it is new', () => {
  const before = datedOf([
    ['a', 'service', 9_000],
    ['b', 'inproccess', 9_000],
  ]);
  const read = [
    { template: 'a', status: 'service', isApproved: true },
    { template: 'b', status: 'service', isApproved: true },
  ];
  expect(listedSince(before, read, NOW).map(({ since }) => since)).toEqual([ago(9_000), NOW]);
  expect(listedSince([], read, NOW).map(({ since }) => since)).toEqual([NOW, NOW]);
});

test('one of fifty jobs asks although the list says no, the same at each look', () => {
  const jobs = Array.from({ length: 5_000 }, () => randomUUID() as JobId);
  const doubted = jobs.filter(isDoubted);
  expect(doubted.length).toBeGreaterThan(40);
  expect(doubted.length).toBeLessThan(200);
  expect(doubted.every(isDoubted)).toBe(true);
});
