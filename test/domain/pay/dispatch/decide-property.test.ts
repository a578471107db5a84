import fc from 'fast-check';
import { expect, test } from 'vitest';
import { APART_MS, decidePayout, type PayoutStep } from '../../../../domain/pay/dispatch/decide.ts';
import type { Dispatch, Heard, PaymentStatus, RailCall } from '../../../../domain/pay/dispatch/dispatch.ts';
import { runs } from '../../../support/runs.ts';
import { answered, fresh, start, worked } from './simulated.ts';

const answers = (status: PaymentStatus): Heard => ({ kind: 'answered', status });
const heard: fc.Arbitrary<Heard> = fc.oneof(
  // Ends are rare, so that histories are long.
  { weight: 8, arbitrary: fc.constantFrom('draft', 'error').map(answers) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('progress', 'billing', 'absent', 'success', 'revert').map(answers),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('card', 'wallet-empty', 'not-ready', 'too-many', 'already-applied', 'not-found')
      .map((because): Heard => ({ kind: 'refused', because })),
  },
  { weight: 4, arbitrary: fc.constantFrom<Heard>({ kind: 'unknown' }, { kind: 'unsent' }) },
);

/** What happens next: a worker, a crash of one in its call, news from a webhook, or time. */
const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('works' as const),
      answer: heard,
      confirmed: fc.option(heard, { freq: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'dies' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'look' } as const) },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 90 }).map((seconds) => ({ kind: 'time', seconds }) as const),
  },
  { weight: 8, arbitrary: fc.constant({ kind: 'until-due' } as const) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

interface Seen {
  readonly dispatch: Dispatch;
  /** Of each confirmation that may have reached the rail. */
  readonly confirmed: readonly string[];
}

/** One dispatch, and whatever happens to it; `look` sees it after each event. */
function history(events: readonly Event[], look: (before: Dispatch, seen: Seen) => void): Dispatch {
  let dispatch = fresh;
  let now = start;
  const confirmed: string[] = [];
  const work = (answer: Heard | 'lost', afterConfirm: Heard | null) => {
    const before = dispatch;
    const done: { dispatch: Dispatch; step: PayoutStep } = worked(dispatch, answer, now);
    dispatch = done.dispatch;
    // The confirm that the draft's commit has opened.
    const opened = dispatch.calls.slice(before.calls.length).at(-1);
    if (opened?.outcome === null && opened.what === 'confirm' && answer !== 'lost')
      dispatch = answered(dispatch, afterConfirm ?? 'lost', now);
    for (const each of dispatch.calls.slice(before.calls.length))
      if (each.what === 'confirm' && each.outcome !== 'unsent') confirmed.push(uuidAt(before, each));
    look(before, { dispatch, confirmed });
  };
  for (const happens of events) {
    switch (happens.kind) {
      case 'works':
        work(happens.answer, happens.confirmed);
        break;
      case 'dies':
        work('lost', null);
        break;
      case 'look':
        dispatch = { ...dispatch, nextAt: now };
        break;
      case 'time':
        now = new Date(now.getTime() + happens.seconds * 1_000);
        break;
      case 'until-due':
        now = new Date(Math.max(now.getTime(), dispatch.nextAt.getTime()));
        break;
    }
  }
  return dispatch;
}

const uuidAt = (before: Dispatch, confirm: RailCall): string =>
  before.state === 'drafted' || before.state === 'unknown' || before.state === 'asking'
    ? (before.railUuid ?? 'none')
    : `uuid-${confirm.attempt}`;

const sent = (call: RailCall) => call.outcome !== 'unsent';
const indexOfLastConfirm = ({ calls }: Dispatch) =>
  calls.findLastIndex((each) => each.what === 'confirm' && sent(each));
const hasErrorTwice = (dispatch: Dispatch): boolean => {
  const reads = dispatch.calls
    .slice(indexOfLastConfirm(dispatch) + 1)
    .filter(({ outcome }) => outcome === 'answered');
  const from = reads.findLastIndex(({ status }) => status !== 'error');
  const errors = reads.slice(from + 1);
  const [first, last] = [errors[0], errors.at(-1)];
  return Boolean(first?.closedAt && last && last.openedAt.getTime() - first.closedAt.getTime() >= APART_MS);
};

const events = () => fc.array(event, { minLength: 20, maxLength: 80 });
const tries = { numRuns: runs(800, 4_000) };

test('whatever rails answer, workers die of and clocks say: one payment is confirmed, at most twice', () => {
  let doubles = 0;
  fc.assert(
    fc.property(events(), (events) => {
      history(events, (_, { confirmed }) => {
        expect(new Set(confirmed).size).toBeLessThanOrEqual(1);
        expect(confirmed.length).toBeLessThanOrEqual(2);
        if (confirmed.length === 2) doubles += 1;
      });
    }),
    tries,
  );
  // The way there was walked at all.
  expect(doubles).toBeGreaterThan(2);
});

test('nothing is drafted, and nothing waits again, once a confirmation may have left', () => {
  fc.assert(
    fc.property(events(), (events) => {
      history(events, (before, { dispatch, confirmed }) => {
        if (confirmed.length === 0) return;
        expect(dispatch.calls.slice(indexOfLastConfirm(dispatch)).map(({ what }) => what)).not.toContain(
          'draft',
        );
        expect(before.state === 'waiting' && dispatch.state === 'drafting').toBe(false);
        expect(dispatch.state).not.toBe('waiting');
      });
    }),
    tries,
  );
});

test('money is released after a confirmation only where the rail said error twice, a minute apart, and nothing else', () => {
  let failed = 0;
  fc.assert(
    fc.property(events(), (events) => {
      history(events, (before, { dispatch, confirmed }) => {
        if (dispatch.state !== 'failed' || before.state === 'failed' || confirmed.length === 0) return;
        failed += 1;
        expect(hasErrorTwice(dispatch)).toBe(true);
      });
    }),
    tries,
  );
  expect(failed).toBeGreaterThan(2);
});

test('money is released before a confirmation only where the newest draft was refused for good', () => {
  let failed = 0;
  fc.assert(
    fc.property(events(), (all) => {
      history(all, (before, { dispatch, confirmed }) => {
        if (dispatch.state !== 'failed' || before.state === 'failed' || confirmed.length > 0) return;
        failed += 1;
        const draft = dispatch.calls.findLast(({ what }) => what === 'draft');
        const isRead = dispatch.calls.some(({ what }) => what === 'read');
        expect(isRead ? 'card' : draft?.because).toBe('card');
      });
    }),
    tries,
  );
  expect(failed).toBeGreaterThan(2);
});

test('an end is an end, and what the rail has said to have paid never fails', () => {
  fc.assert(
    fc.property(events(), (events) => {
      history(events, (before, { dispatch }) => {
        const isOver = ['paid', 'failed', 'returned', 'stuck'].includes(before.state);
        expect(isOver ? dispatch : before).toEqual(before);
        const wasPaid = dispatch.calls.some(({ status }) => status === 'success');
        expect(wasPaid ? dispatch.state : 'paid').toBe('paid');
      });
    }),
    tries,
  );
});

test('no history goes on for ever: whatever is answered, it ends or people look within five days of the rail', () => {
  const DAYS_MAX = 5.5;
  fc.assert(
    fc.property(fc.array(heard, { minLength: 1, maxLength: 6 }), (given) => {
      let dispatch = fresh;
      let now = start;
      const isOver = () => now.getTime() - start.getTime() > DAYS_MAX * 86_400_000;
      const cycle = given.every(({ kind }) => kind === 'unsent') ? [...given, answers('draft')] : given;
      for (let n = 0; decidePayout(dispatch, now).kind !== 'finish' && !isOver(); n++) {
        const step = decidePayout(dispatch, now);
        if (step.kind === 'wait') now = step.until;
        else ({ dispatch } = worked(dispatch, cycle[n % cycle.length] ?? 'lost', now));
      }
      expect(dispatch.state).toBeOneOf(['paid', 'failed', 'returned', 'stuck']);
    }),
    { numRuns: 30 },
  );
});
