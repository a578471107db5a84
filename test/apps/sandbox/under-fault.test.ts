import { expect, test } from 'vitest';
import type { Fault } from '../../../apps/sandbox/fault.ts';
import { Timers } from '../../../apps/sandbox/timers.ts';
import { type FaultOutcome, underFault } from '../../../apps/sandbox/under-fault.ts';

const reply = (body: string) => ({ status: 200, headers: {}, body });

/** What is answered under a fault, and whether the message was taken over for it. */
async function under(fault: object | undefined) {
  const taken: FaultOutcome[] = [];
  const trace: { fault?: string } = {};
  const answer = await underFault(
    fault && ({ to: '*', delay_ms: 0, ...fault } as Fault),
    {
      dialect: {
        rejected: (code) => reply(`rejected ${code}`),
        rateLimited: (seconds) => reply(`wait ${seconds}`),
        failed: (status) => reply(`failed ${status}`),
      },
      timers: new Timers(),
      trace: trace as never,
    },
    (faultOutcome) => {
      taken.push(faultOutcome);
      return reply('accepted');
    },
  );
  return { answer, taken, fault: trace.fault };
}

test('without a fault a message is taken and delivered', async () => {
  expect(await under(undefined)).toEqual({
    answer: reply('accepted'),
    taken: [{ fate: 'delivered' }],
    fault: undefined,
  });
});

test('what is refused, or hangs before it is read, is not taken', async () => {
  for (const [fault, answer] of [
    [{ effect: 'reject', code: 21_211 }, reply('rejected 21211')],
    [{ effect: 'rate-limit', retry_after_seconds: 2 }, reply('wait 2')],
    [{ effect: 'server-error', status: 503 }, reply('failed 503')],
    [{ effect: 'hang-before', hang_ms: 9 }, { hangMs: 9 }],
    [
      { effect: 'answer', taken: false, status: 502, headers: {}, body: 'x' },
      { status: 502, headers: {}, body: 'x' },
    ],
  ] as const)
    expect(await under(fault)).toEqual({ answer, taken: [], fault: fault.effect });
});

test('what answers wrongly or never, though it took the message, has taken it', async () => {
  for (const fault of [
    { effect: 'hang-after', hang_ms: 9 },
    { effect: 'answer', taken: true, status: 502, headers: {}, body: 'x' },
    { effect: 'slow' },
  ])
    expect((await under(fault)).taken).toEqual([{ fate: 'delivered' }]);
});

test('what is taken and does not arrive says so to nobody but the message', async () => {
  expect((await under({ effect: 'never-delivered' })).taken).toEqual([{ fate: 'lost' }]);
  expect((await under({ effect: 'undelivered', code: 30_003 })).taken).toEqual([
    { fate: 'undelivered', errorCode: 30_003 },
  ]);
});

test('a lossy provider loses its share, the same ones for the same seed, and says what was ordered', async () => {
  const drawn = async (seed: number) => {
    const fault = { to: '*', delay_ms: 0, effect: 'lossy', share: 0.3, says: 'delivered', seed } as const;
    const taken: FaultOutcome[] = [];
    const world = { dialect: {} as never, timers: new Timers(), trace: {} };
    for (let n = 0; n < 1_000; n++) {
      await underFault(fault, world, (outcome) => {
        taken.push(outcome);
        return reply('accepted');
      });
    }
    return taken;
  };
  const lost = (taken: readonly FaultOutcome[]) =>
    taken.flatMap(({ fate }, n) => (fate === 'lost' ? [n] : []));
  const first = await drawn(7);
  expect(lost(first).length).toBeGreaterThan(250);
  expect(lost(first).length).toBeLessThan(350);
  expect(first.filter(({ fate }) => fate === 'lost')).toContainEqual({ fate: 'lost', says: 'delivered' });
  expect(lost(await drawn(7))).toEqual(lost(first));
  expect(lost(await drawn(8))).not.toEqual(lost(first));
});
