import { describe, expect, test } from 'vitest';
import { defineJob, doublingMs, safeLabels, staffMay } from '../../../domain/job/define-job.ts';
import { echo } from '../../support/echo/echo.ts';

const jobs = { echo: { ...echo, staff: ['pause', 'resume'] as const } };

describe('labels of a queue entry', () => {
  test('are the project and what the kind names, whatever else the row holds', () => {
    const labels = { word: 'secret', letters: '6', project: 'shop', to: 'the cave' };
    expect(safeLabels(echo, labels)).toEqual({ project: 'shop', to: 'the cave', letters: '6' });
  });

  test('are the project alone where the row does not fit', () => {
    expect(safeLabels(echo, { project: 'shop', word: 'secret' })).toEqual({ project: 'shop' });
  });
});

test('staff may do what the kind says, and nothing to a kind that is not there', () => {
  expect(staffMay(jobs, 'echo', 'pause')).toBe(true);
  expect(staffMay(jobs, 'echo', 'retry')).toBe(false);
  expect(staffMay(jobs, 'whisper', 'pause')).toBe(false);
  expect(staffMay(jobs, 'toString', 'pause')).toBe(false);
});

test('each pause is twice the one before', () => {
  expect(doublingMs(1_000, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
});

test.each([
  ['kind', { kind: 'a:b' }],
  ['kind', { kind: "it's" }],
  ['kind', { kind: '' }],
  ['attemptsMax', { attemptsMax: 0 }],
  ['delaysMs', { delaysMs: [1_000, Number.NaN] }],
  ['delaysMs', { delaysMs: [-1] }],
  ['unknownMax', { unknownMax: 0 }],
  ['attemptTimeoutMs', { attemptTimeoutMs: 0 }],
  ['attemptTimeoutMs', { attemptTimeoutMs: 2 ** 31 }],
  ['concurrency', { concurrency: 0 }],
  ['concurrency', { concurrency: 1.5 }],
  ['scheduler', { scheduler: { inFlightMax: 0 } }],
  ['scheduler', { scheduler: { inFlightMax: 9, ahead: { seconds: 0, inFlightMin: 1 } } }],
  ['scheduler', { scheduler: { inFlightMax: 9, backlogMs: Number.NaN } }],
])('a definition whose %s can’t work is refused when it is made, and told why: %j', (field, change) => {
  expect(() => defineJob({ ...echo, ...change })).toThrow(new RegExp(`job kind .*${field}`, 's'));
});

test('a definition at the edge of what can work is taken as it is', () => {
  const edge = { ...echo, attemptsMax: 1, delaysMs: [], unknownMax: 1, concurrency: 1, scheduler: null };
  expect(defineJob(edge)).toEqual(edge);
});
