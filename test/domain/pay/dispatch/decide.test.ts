import { describe, expect, test } from 'vitest';
import {
  asksAfterMs,
  CALL_LOST_MS,
  decideMove,
  decidePayout,
  DRAFT_AGE_MAX_MS,
  draftsAgainMs,
} from '../../../../domain/pay/dispatch/decide.ts';
import type { Dispatch, Heard } from '../../../../domain/pay/dispatch/dispatch.ts';
import { at, call, fresh, open, start, worked } from './simulated.ts';

const answers = (status: Extract<Heard, { kind: 'answered' }>['status']): Heard => ({
  kind: 'answered',
  status,
});
const refuses = (because: Extract<Heard, { kind: 'refused' }>['because']): Heard => ({
  kind: 'refused',
  because,
});
const nothing: Heard = { kind: 'unknown' };

const drafting = open(fresh, 'draft', 1, start);
const drafted: Dispatch = {
  state: 'drafted',
  attempt: 1,
  railUuid: 'uuid-1',
  nextAt: start,
  calls: [call('draft', 0, { status: 'draft' })],
};
const confirming = open(drafted, 'confirm', 1, start);
/** A confirm without an answer, and what was read since: seconds, and statuses. */
const unknown = (
  ...reads: readonly (readonly [number, 'error' | 'draft' | 'progress' | null])[]
): Dispatch => ({
  ...drafted,
  state: 'unknown',
  calls: [
    ...drafted.calls,
    call('confirm', 0, { outcome: 'unknown' }),
    ...reads.map(([second, status]) =>
      call('read', second, { status, outcome: status === null ? 'unknown' : 'answered' }),
    ),
  ],
});
/** A draft without an answer, and what was found since. */
const asking = (...finds: readonly (readonly [number, 'absent' | 'draft' | 'error' | null])[]): Dispatch => ({
  ...fresh,
  state: 'asking',
  attempt: 1,
  calls: [
    call('draft', 0, { outcome: 'unknown' }),
    ...finds.map(([second, status]) =>
      call('find', second, { status, outcome: status === null ? 'unknown' : 'answered' }),
    ),
  ],
});
const heardOf = (dispatch: Dispatch, what: 'read' | 'find', heard: Heard, second: number) =>
  decideMove(open(dispatch, what, 1, at(second)), heard, at(second));

test('a rail that answers once and is silent for a day then is asked by the same times as one that never answers', () => {
  const asked = (once: Dispatch, what: 'read' | 'find'): readonly number[] => {
    const seconds: number[] = [];
    for (let dispatch = once; seconds.length < 100;) {
      const second = (dispatch.nextAt.getTime() - start.getTime()) / 1_000;
      const opened = open(dispatch, what, 1, at(second));
      const { to, nextAt } = decideMove(opened, nothing, at(second));
      if (to === 'stuck') break;
      seconds.push((nextAt.getTime() - start.getTime()) / 1_000);
      const calls = opened.calls.map((each) =>
        each.outcome === null ? { ...each, closedAt: at(second), outcome: 'unknown' as const } : each,
      );
      dispatch = { ...dispatch, nextAt, calls };
    }
    return seconds;
  };
  for (const [once, what] of [
    [unknown([30, 'draft']), 'read'],
    [unknown([30, 'error']), 'read'],
    [asking([30, 'absent']), 'find'],
  ] as const)
    expect(asked({ ...once, nextAt: at(90) }, what).slice(0, 5)).toEqual([120, 600, 3_600, 21_600, 86_400]);
});

describe('a waiting dispatch', () => {
  test('is drafted, and not before its time', () => {
    expect(decidePayout(fresh, start)).toEqual({ kind: 'call', what: 'draft' });
    expect(decidePayout(fresh, at(-0.001))).toEqual({ kind: 'wait', until: start });
  });

  test('is left to people after five drafts that were sent; one that was not sent is none', () => {
    const sent = [1, 2, 3, 4].map((attempt) =>
      call('draft', 0, { attempt, outcome: 'refused', because: 'too-many' }),
    );
    const five = [...sent, call('draft', 0, { attempt: 5, outcome: 'refused', because: 'too-many' })];
    const four = [...sent, call('draft', 0, { attempt: 5, outcome: 'unsent' })];
    expect(decidePayout({ ...fresh, attempt: 5, calls: four }, start)).toMatchObject({ kind: 'call' });
    expect(decidePayout({ ...fresh, attempt: 5, calls: five }, start)).toMatchObject({
      kind: 'move',
      move: { to: 'stuck', reason: 'attempts-used-up' },
    });
  });
});

describe('an open call', () => {
  test.each([
    ['drafting', drafting, 'asking'],
    ['confirming', confirming, 'unknown'],
  ] as const)(
    'of %s is its living worker’s for 15 s, then nobody knows whether it began',
    (_, dispatch, to) => {
      const lost = new Date(start.getTime() + CALL_LOST_MS);
      expect(decidePayout(dispatch, new Date(lost.getTime() - 1))).toEqual({ kind: 'wait', until: lost });
      expect(decidePayout(dispatch, lost)).toMatchObject({ kind: 'close-lost', move: { to } });
    },
  );
});

describe('a draft', () => {
  test.each([
    ['draft', answers('draft'), { to: 'drafted', confirms: true, stopsRail: null }],
    ['success', answers('success'), { to: 'paid', stopsRail: 'confirmable-lost' }],
    ['progress', answers('progress'), { to: 'unknown', stopsRail: 'confirmable-lost' }],
    ['billing', answers('billing'), { to: 'unknown', stopsRail: 'confirmable-lost' }],
    ['revert', answers('revert'), { to: 'returned', stopsRail: 'confirmable-lost' }],
    ['error', answers('error'), { to: 'unknown', stopsRail: null }],
    ['card', refuses('card'), { to: 'failed', reason: 'rail-refused-card', stopsRail: null }],
    ['fields', refuses('fields'), { to: 'failed', reason: 'rail-refused-fields' }],
    ['limit', refuses('limit'), { to: 'failed', reason: 'rail-refused-limit' }],
    ['wallet empty', refuses('wallet-empty'), { to: 'waiting', stopsRail: 'wallet-empty' }],
    ['denied', refuses('denied'), { to: 'waiting', stopsRail: 'denied' }],
    ['one-time password', refuses('otp-required'), { to: 'waiting', stopsRail: 'otp-required' }],
    ['not ready', refuses('not-ready'), { to: 'waiting', stopsRail: null }],
    ['too many', refuses('too-many'), { to: 'waiting', stopsRail: null }],
    ['signed out', refuses('signed-out'), { to: 'waiting', stopsRail: null }],
    ['not found', refuses('not-found'), { to: 'asking' }],
    ['no answer', nothing, { to: 'asking' }],
    ['not sent', { kind: 'unsent' } as const, { to: 'waiting', nextAt: start }],
    [
      'another amount',
      { ...answers('draft'), amountDiffers: true },
      { to: 'stuck', reason: 'rail-amount-differs', confirms: false },
    ],
  ])('that is answered: %s', (_, heard, move) => {
    expect(decideMove(drafting, heard, start)).toMatchObject(move);
  });

  test('that may pass later waits 1, 5, 15 and 60 minutes; after the fifth people look', () => {
    let dispatch: Dispatch = fresh;
    const waits: number[] = [];
    for (let now = start; dispatch.state === 'waiting'; now = dispatch.nextAt) {
      ({ dispatch } = worked(dispatch, refuses('not-ready'), now));
      waits.push((dispatch.nextAt.getTime() - now.getTime()) / 60_000);
    }
    expect(dispatch.state).toBe('stuck');
    expect(waits).toEqual([...draftsAgainMs.map((ms) => ms / 60_000), 0]);
  });

  test('that is never sent is made again, each a second later than the last; after 200 people look', () => {
    let dispatch: Dispatch = fresh;
    const waits: number[] = [];
    for (let now = start; dispatch.state === 'waiting' && waits.length <= 200; now = dispatch.nextAt) {
      ({ dispatch } = worked(dispatch, { kind: 'unsent' }, now));
      waits.push((dispatch.nextAt.getTime() - now.getTime()) / 1_000);
    }
    expect(dispatch.state).toBe('stuck');
    expect(waits).toEqual([...Array.from({ length: 200 }, (_, n) => n), 0]);
  });
});

describe('a drafted one', () => {
  test('is confirmed under its own uuid for ten minutes; then it is made anew', () => {
    const old = new Date(start.getTime() + DRAFT_AGE_MAX_MS);
    expect(decidePayout(drafted, new Date(old.getTime() - 1))).toEqual({
      kind: 'call',
      what: 'confirm',
      railUuid: 'uuid-1',
    });
    expect(decidePayout(drafted, old)).toMatchObject({ kind: 'move', move: { to: 'waiting' } });
  });

  const second: Dispatch = {
    ...drafted,
    attempt: 2,
    railUuid: 'uuid-2',
    calls: [
      call('draft', -90, { outcome: 'unknown' }),
      call('find', -85, { status: 'absent' }),
      call('find', -25, { status: 'absent' }),
      call('draft', 0, { attempt: 2, status: 'draft' }),
    ],
  };
  const before = second.calls.slice(0, -1);

  test('of a second attempt looks for the first once more, in place of confirming at once', () => {
    const opened = open({ ...second, calls: before }, 'draft', 2, start);
    expect(decideMove(opened, answers('draft'), start)).toMatchObject({ to: 'drafted', confirms: false });
    expect(decidePayout(second, start)).toEqual({ kind: 'call', what: 'find', attempt: 1 });
    const looked = { ...second, calls: [...second.calls, call('find', 1, { status: 'absent' })] };
    expect(decidePayout(looked, at(1))).toEqual({ kind: 'call', what: 'confirm', railUuid: 'uuid-2' });
  });

  test('of a second attempt is never confirmed where the first one was paid late', () => {
    expect(heardOf(second, 'find', answers('success'), 1)).toMatchObject({ to: 'paid' });
    expect(heardOf(second, 'find', answers('progress'), 1)).toMatchObject({ to: 'unknown' });
    expect(heardOf(second, 'find', nothing, 1)).toMatchObject({ to: 'drafted', nextAt: at(6) });
    expect(heardOf(second, 'find', answers('absent'), 1)).toMatchObject({ to: 'drafted', nextAt: at(1) });
  });

  test('of a second attempt that is refused for good fails after the first was looked for', () => {
    const opened = open({ ...second, calls: before }, 'draft', 2, start);
    expect(decideMove(opened, refuses('card'), start)).toMatchObject({ to: 'asking' });
    const refused: Dispatch = {
      ...second,
      state: 'asking',
      railUuid: null,
      calls: [
        call('draft', -90, { outcome: 'unknown' }),
        call('draft', 0, { attempt: 2, outcome: 'refused', because: 'card' }),
      ],
    };
    expect(decidePayout(refused, start)).toEqual({ kind: 'call', what: 'find', attempt: 1 });
    expect(heardOf(refused, 'find', answers('absent'), 1)).toMatchObject({
      to: 'failed',
      reason: 'rail-refused-card',
    });
    expect(heardOf(refused, 'find', answers('success'), 1)).toMatchObject({ to: 'paid' });
  });

  test('of a third attempt that is refused for good fails after both of those before were looked for', () => {
    const refused: Dispatch = {
      ...second,
      state: 'asking',
      attempt: 3,
      railUuid: null,
      calls: [
        call('draft', -180, { outcome: 'unknown' }),
        call('draft', -90, { attempt: 2, outcome: 'unknown' }),
        call('draft', 0, { attempt: 3, outcome: 'refused', because: 'card' }),
      ],
    };
    expect(decidePayout(refused, start)).toEqual({ kind: 'call', what: 'find', attempt: 1 });
    expect(heardOf(refused, 'find', answers('absent'), 1)).toMatchObject({ to: 'asking', nextAt: at(1) });
    const looked = { ...refused, calls: [...refused.calls, call('find', 1, { status: 'absent' })] };
    expect(decidePayout(looked, at(61))).toEqual({ kind: 'call', what: 'find', attempt: 2 });
    const found = decideMove(open(looked, 'find', 2, at(61)), answers('absent'), at(61));
    expect(found).toMatchObject({ to: 'failed', reason: 'rail-refused-card' });
  });
});

describe('a confirmation', () => {
  test.each([
    ['success', answers('success'), { to: 'paid' }],
    ['error', answers('error'), { to: 'asking' }],
    ['revert', answers('revert'), { to: 'returned' }],
    ['draft', answers('draft'), { to: 'unknown' }],
    ['progress', answers('progress'), { to: 'unknown' }],
    ['billing', answers('billing'), { to: 'unknown' }],
    ['no answer', nothing, { to: 'unknown', nextAt: at(5) }],
    ['card', refuses('card'), { to: 'unknown' }],
    ['already applied', refuses('already-applied'), { to: 'unknown' }],
    ['wallet empty', refuses('wallet-empty'), { to: 'unknown', stopsRail: 'wallet-empty' }],
    ['not sent', { kind: 'unsent' } as const, { to: 'drafted', nextAt: start }],
  ])('that is answered: %s', (_, heard, move) => {
    expect(decideMove(confirming, heard, start)).toMatchObject(move);
  });
});

describe('a confirmation whose end is not known', () => {
  test('is asked by its uuid', () => {
    expect(decidePayout(unknown(), at(5))).toEqual({ kind: 'call', what: 'read', railUuid: 'uuid-1' });
    expect(heardOf(unknown(), 'read', answers('success'), 5)).toMatchObject({ to: 'paid' });
    expect(heardOf(unknown(), 'read', answers('revert'), 5)).toMatchObject({ to: 'returned' });
  });

  test('has failed where two reads a minute apart say so, and not a moment sooner', () => {
    expect(heardOf(unknown(), 'read', answers('error'), 5)).toMatchObject({ to: 'unknown', nextAt: at(65) });
    expect(heardOf(unknown([5, 'error']), 'read', answers('error'), 64.999)).toMatchObject({ to: 'unknown' });
    expect(heardOf(unknown([5, 'error']), 'read', answers('error'), 65)).toMatchObject({
      to: 'failed',
      reason: 'rail-error',
    });
  });

  test('is a minute apart from the end of the first answer to the beginning of the second', () => {
    const slow = unknown();
    const first = { ...call('read', 5, { status: 'error' }), closedAt: at(12) };
    const opened = open({ ...slow, calls: [...slow.calls, first] }, 'read', 1, at(66));
    expect(decideMove(opened, answers('error'), at(75))).toMatchObject({ to: 'unknown' });
    const later = open({ ...slow, calls: [...slow.calls, first] }, 'read', 1, at(72));
    expect(decideMove(later, answers('error'), at(75))).toMatchObject({ to: 'failed' });
  });

  test('begins to count anew where the rail says something else in between', () => {
    const seen = unknown([5, 'error'], [40, 'progress']);
    expect(heardOf(seen, 'read', answers('error'), 70)).toMatchObject({ to: 'unknown', nextAt: at(130) });
  });

  test('has not failed by silence in between, and not by news that come early', () => {
    expect(heardOf(unknown([5, 'error'], [65, null]), 'read', answers('error'), 120)).toMatchObject({
      to: 'failed',
    });
    expect(decidePayout(unknown([5, 'error']), at(20))).toEqual({ kind: 'wait', until: at(65) });
    expect(decidePayout(unknown([5, 'progress']), at(9))).toEqual({ kind: 'wait', until: at(10) });
  });

  test('is confirmed once more under the same uuid where two reads a minute apart still say draft', () => {
    const read = unknown([5, 'draft']);
    expect(heardOf(read, 'read', answers('draft'), 65)).toMatchObject({ to: 'unknown', nextAt: at(70) });
    expect(decidePayout(unknown([5, 'draft'], [65, 'draft']), at(70))).toEqual({
      kind: 'call',
      what: 'confirm',
      railUuid: 'uuid-1',
    });
    expect(decidePayout(unknown([5, 'draft'], [64.9, 'draft']), at(70))).toMatchObject({ what: 'read' });
  });

  test('is asked, and is no draft again, where the second confirmation was not sent', () => {
    const again = open(unknown([5, 'draft'], [65, 'draft']), 'confirm', 1, at(70));
    expect(decideMove(again, { kind: 'unsent' }, at(71))).toMatchObject({ to: 'unknown', nextAt: at(71) });
  });

  test('is not confirmed a third time', () => {
    const again: Dispatch = {
      ...unknown([5, 'draft'], [65, 'draft']),
      calls: [
        ...unknown([5, 'draft'], [65, 'draft']).calls,
        call('confirm', 70, { outcome: 'unknown' }),
        call('read', 75, { status: 'draft' }),
        call('read', 200, { status: 'draft' }),
      ],
    };
    expect(decidePayout(again, at(800))).toMatchObject({ what: 'read' });
  });

  test('is asked after 5 s, 30 s, 2 m, 10 m, 1 h, 6 h and 24 h; then people decide, and it has not failed', () => {
    let dispatch: Dispatch = { ...unknown(), nextAt: at(5) };
    const asked: number[] = [];
    while (dispatch.state === 'unknown') {
      asked.push(dispatch.nextAt.getTime() - start.getTime());
      ({ dispatch } = worked(dispatch, nothing, dispatch.nextAt));
    }
    expect(asked).toEqual(asksAfterMs);
    expect(dispatch.state).toBe('stuck');
  });

  test('is believed after the last time too, once it is said twice', () => {
    const day = 24 * 3_600;
    expect(heardOf(unknown(), 'read', answers('error'), day)).toMatchObject({
      to: 'unknown',
      nextAt: at(day + 60),
    });
    expect(heardOf(unknown([day, 'error']), 'read', answers('error'), day + 60)).toMatchObject({
      to: 'failed',
    });
    expect(
      heardOf(unknown([day, 'error'], [day + 60, 'draft']), 'read', answers('error'), day + 120),
    ).toMatchObject({
      to: 'stuck',
    });
  });
});

describe('a draft without an answer', () => {
  test('is looked for by its reference, twice, a minute apart; then a new one is made', () => {
    expect(decidePayout(asking(), at(5))).toEqual({ kind: 'call', what: 'find', attempt: 1 });
    expect(heardOf(asking(), 'find', answers('absent'), 5)).toMatchObject({ to: 'asking', nextAt: at(65) });
    expect(heardOf(asking([5, 'absent']), 'find', answers('absent'), 64.9)).toMatchObject({ to: 'asking' });
    for (const status of ['absent', 'draft', 'error'] as const)
      expect(heardOf(asking([5, 'absent']), 'find', answers(status), 65)).toMatchObject({ to: 'waiting' });
  });

  test.each(['not-found', 'already-applied'] as const)(
    'is what a refusal as %s is too: nobody knows its meaning',
    (because) => {
      const refused: Dispatch = { ...asking(), calls: [call('draft', 0, { outcome: 'refused', because })] };
      expect(decidePayout(refused, at(5))).toEqual({ kind: 'call', what: 'find', attempt: 1 });
      expect(heardOf(refused, 'find', answers('absent'), 5)).toMatchObject({ to: 'asking', nextAt: at(65) });
      expect(heardOf(refused, 'find', answers('success'), 5)).toMatchObject({ to: 'paid' });
      const next = open({ ...refused, state: 'waiting', attempt: 2 }, 'draft', 2, at(70));
      expect(decideMove(next, answers('draft'), at(70))).toMatchObject({ to: 'drafted', confirms: false });
    },
  );

  test('was paid, or is on its way, where it is found so: the rail has paid without being told to', () => {
    const stopsRail = 'confirmable-lost';
    expect(heardOf(asking(), 'find', answers('success'), 5)).toMatchObject({ to: 'paid', stopsRail });
    expect(heardOf(asking(), 'find', answers('billing'), 5)).toMatchObject({ to: 'unknown', stopsRail });
  });

  test('is left to people where the rail stays silent for a day', () => {
    let dispatch: Dispatch = { ...asking(), nextAt: at(5) };
    while (dispatch.state === 'asking') ({ dispatch } = worked(dispatch, nothing, dispatch.nextAt));
    expect(dispatch.state).toBe('stuck');
    expect(dispatch.nextAt).toEqual(at(24 * 3_600));
  });
});

test.each(['paid', 'failed', 'returned', 'dropped', 'stuck', 'exported'] as const)(
  'nothing is due of one that is %s',
  (state) => {
    expect(decidePayout({ ...drafted, state }, at(1e6))).toEqual({ kind: 'finish' });
  },
);
