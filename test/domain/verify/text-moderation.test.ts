import { expect, test } from 'vitest';
import {
  LIST_KEPT_MS,
  listedSince,
  moderationOf,
  REFUSAL_KEPT_MS,
  type TemplateList,
  wordingOf,
} from '../../../domain/verify/text-moderation.ts';

const NOW = new Date('2026-11-20T10:00:00Z');
const ago = (ms: number) => new Date(NOW.getTime() - ms);
const listOf = (
  templates: [template: string, status: string, agoMs: number][],
  readMsAgo = 0,
): TemplateList => ({
  templates: templates.map(([template, status, agoMs]) => ({
    template,
    status,
    isApproved: status === 'service',
    since: ago(agoMs),
  })),
  readAt: ago(readMsAgo),
  changedAt: ago(50_000),
});
const refusedAgo = (ms: number) => ({ said: 'Eskiz: no', since: ago(ms), at: ago(ms) });
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
  { what: 'a refusal', known: { refusal: refusedAgo(5_000) }, state: 'not-approved', since: ago(5_000) },
  {
    what: 'a refusal of what the list seems to cover',
    known: { list: approved, refusal: refusedAgo(5_000) },
    state: 'not-approved',
    since: ago(5_000),
  },
  {
    what: 'an approval after a refusal',
    known: { list: approved, refusal: refusedAgo(9_001) },
    state: 'approved',
    since: ago(9_000),
  },
  {
    what: 'a refusal that is nearly forgotten',
    known: { refusal: refusedAgo(REFUSAL_KEPT_MS - 1) },
    state: 'not-approved',
    since: ago(REFUSAL_KEPT_MS - 1),
  },
  {
    what: 'a forgotten refusal',
    known: { refusal: refusedAgo(REFUSAL_KEPT_MS) },
    state: 'unknown',
    since: null,
  },
  {
    what: 'a list of nearly an hour ago',
    known: { list: listOf([], LIST_KEPT_MS - 1) },
    state: 'not-approved',
    since: ago(50_000),
  },
  { what: 'an old list', known: { list: listOf([], LIST_KEPT_MS) }, state: 'unknown', since: null },
])('$what makes a text $state', ({ known, state, since }) => {
  expect(moderationOf({ list: null, refusal: null, ...known }, text, NOW)).toMatchObject({ state, since });
});

test('a wording has no number in it, whatever the digits', () => {
  expect(wordingOf('Kod 123456, 5 min. ٣٤')).toBe('Kod #, # min. #');
  expect(wordingOf('@shop.uz #123456')).toBe(wordingOf('@shop.uz #654321'));
});

test('what a list had before keeps its time, and another state of it is new', () => {
  const before = listOf([
    ['a', 'service', 9_000],
    ['b', 'inproccess', 9_000],
  ]);
  const read = [
    { template: 'a', status: 'service', isApproved: true },
    { template: 'b', status: 'service', isApproved: true },
  ];
  expect(listedSince(before, read, NOW).map(({ since }) => since)).toEqual([ago(9_000), NOW]);
  expect(listedSince(null, read, NOW).map(({ since }) => since)).toEqual([NOW, NOW]);
});
