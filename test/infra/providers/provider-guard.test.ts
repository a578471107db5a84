import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type * as guards from '../../../domain/job/guard.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import type { GuardedChannel } from '../../../domain/verify/guard.ts';
import type { CodeChannel, CodeMessage } from '../../../domain/verify/port.ts';
import { guard, openMs } from '../../../infra/providers/provider-guard.ts';
import { telegramGateway } from '../../../infra/providers/verify/telegram-gateway.ts';
import { twilioSms } from '../../../infra/providers/verify/twilio-sms.ts';
import type { FaultRequest } from '../../../apps/sandbox/faults.ts';
import {
  ACCOUNT,
  AUTH_TOKEN,
  freshSandbox,
  GATEWAY_TOKEN,
  PHONE,
  SENDER,
} from '../../apps/sandbox/support.ts';
import { deadline } from './support.ts';
import { messageTo } from './verify/code-message.ts';

type Entered = guards.Entered<CodeMessage>;
type Entry = guards.Entry<CodeMessage>;

const message = messageTo({ phone: PHONE });
const accepted: SendReply = { kind: 'accepted', reference: 'r', cost: null };
const full = { entered: false, because: 'full', retryAfterMs: expect.any(Number) };
const open = (retryAfterMs: number) => ({ entered: false, because: 'open', retryAfterMs });
/** The calls that the breaker wants to have seen before it opens. */
const CALLS_MIN = 10;

function entered(entry: Entry): Entered {
  if (!entry.entered) throw new Error(`not entered: ${entry.because}`);
  return entry;
}

/** A clock that only the test moves. */
function fixedClock() {
  let nowMs = Date.parse('2026-11-20T10:00:00Z');
  return {
    clock: () => new Date(nowMs),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

/** Twilio behind a guard, at a sandbox that can be told to fail. */
async function smsBehindGuard(inFlightMax = 100) {
  const sandbox = await freshSandbox();
  const time = fixedClock();
  const sms = twilioSms({
    accountSid: ACCOUNT,
    authToken: AUTH_TOKEN,
    from: SENDER,
    apiUrl: sandbox.url,
    statusCallbackUrl: () => 'http://127.0.0.1:9/cb',
  });
  const guarded = guard(sms, { inFlightMax, clock: time.clock, random: () => 0 });
  const fail = (fault: FaultRequest) => sandbox.orderFaults({ channel: 'sms', ...fault });
  return { sandbox, guarded, fail, pass: time.pass };
}

const sendOne = (guarded: GuardedChannel) => entered(guarded.enter()).send(message, deadline());
async function send(guarded: GuardedChannel, times: number): Promise<SendReply[]> {
  const replies = [];
  for (let n = 0; n < times; n++) replies.push(await sendOne(guarded));
  return replies;
}

test('no more than its share is in flight at a provider that hangs, and each end makes room for one', async () => {
  const { sandbox, guarded, fail } = await smsBehindGuard(3);
  fail({ effect: 'hang-before', hang_ms: 60_000 });
  const stop = new AbortController();
  const hanging = [1, 2, 3].map(() => entered(guarded.enter()).send(message, stop.signal));
  expect(guarded.enter()).toEqual(full);
  await expect.poll(() => sandbox.calls()).toHaveLength(3);
  expect(guarded.enter()).toEqual(full);

  stop.abort();
  expect(await Promise.all(hanging)).toEqual(Array(3).fill({ kind: 'unknown', reason: 'timeout' }));
  const again = [1, 2, 3].map(() => guarded.enter());
  expect(again.every((entry) => entry.entered)).toBe(true);
  expect(guarded.enter()).toEqual(full);
});

test('a provider that hangs takes no place from another', async () => {
  const { sandbox, guarded, fail } = await smsBehindGuard(2);
  fail({ effect: 'hang-before', hang_ms: 60_000 });
  const stop = new AbortController();
  const hanging = [1, 2].map(() => entered(guarded.enter()).send(message, stop.signal));
  const gateway = guard(
    telegramGateway({
      token: GATEWAY_TOKEN,
      url: `${sandbox.url}/gateway`,
      callbackUrl: () => 'http://127.0.0.1:9/cb',
    }),
    { inFlightMax: 2, clock: () => new Date() },
  );
  expect(await sendOne(gateway)).toMatchObject({ kind: 'accepted' });
  stop.abort();
  await Promise.all(hanging);
});

/** A channel that answers what the test says: for rules that no socket changes. */
function scripted(answer: () => SendReply | Promise<SendReply>) {
  let calls = 0;
  const channel: CodeChannel = {
    channel: 'sms',
    provider: 'scripted',
    send: async () => {
      calls += 1;
      return answer();
    },
  };
  const time = fixedClock();
  const guarded = guard(channel, { inFlightMax: 2, clock: time.clock, random: () => 0 });
  return { guarded, pass: time.pass, calls: () => calls };
}

test('a place is given back by leaving, once', () => {
  const { guarded } = scripted(() => accepted);
  const [first] = [entered(guarded.enter()), entered(guarded.enter())];
  expect(guarded.enter()).toEqual(full);
  first.leave();
  first.leave();
  entered(guarded.enter());
  expect(guarded.enter()).toEqual(full);
});

test('leaving during and after a send gives nothing back twice', async () => {
  const answer = Promise.withResolvers<SendReply>();
  const { guarded } = scripted(() => answer.promise);
  const [first] = [entered(guarded.enter()), entered(guarded.enter())];
  const sending = first.send(message, deadline());
  first.leave();
  expect(guarded.enter(), 'it is still sending').toEqual(full);
  answer.resolve(accepted);
  expect(await sending).toEqual(accepted);
  first.leave();
  entered(guarded.enter());
  expect(guarded.enter()).toEqual(full);
});

test('a place sends once: a second send and a send after leaving are bugs', async () => {
  const { guarded, calls } = scripted(() => accepted);
  const used = entered(guarded.enter());
  await used.send(message, deadline());
  await expect(used.send(message, deadline())).rejects.toThrow('one place sends once');
  const left = entered(guarded.enter());
  left.leave();
  await expect(left.send(message, deadline())).rejects.toThrow('one place sends once');
  expect(calls()).toBe(1);
});

test('a place is given back when the channel throws', async () => {
  const { guarded } = scripted(() => Promise.reject(new Error('a bug')));
  for (let n = 0; n < 5; n++) await expect(sendOne(guarded)).rejects.toThrow('a bug');
});

test('a place that was forgotten comes free after 10 s, and its late send is asked to wait', async () => {
  const { guarded, pass, calls } = scripted(() => accepted);
  const forgotten = entered(guarded.enter());
  entered(guarded.enter());
  pass(10_000);
  expect(guarded.enter()).toEqual(full);
  pass(1);
  entered(guarded.enter());
  expect(await forgotten.send(message, deadline())).toMatchObject({ kind: 'busy' });
  expect(calls()).toBe(0);
});

test('a send that takes longer than 10 s keeps its place', async () => {
  const answer = Promise.withResolvers<SendReply>();
  const { guarded, pass } = scripted(() => answer.promise);
  const sending = [entered(guarded.enter()), entered(guarded.enter())].map((place) =>
    place.send(message, deadline()),
  );
  pass(60_000);
  expect(guarded.enter()).toEqual(full);
  answer.resolve(accepted);
  await Promise.all(sending);
});

const outages: readonly FaultRequest[] = [
  { effect: 'server-error', status: 500 },
  { effect: 'server-error', status: 503 },
  { effect: 'hang-before', hang_ms: 0 },
  { effect: 'reject', channel: 'sms', code: 20003 },
];
test.each(outages)('ten answers of $effect open the breaker, and nothing more is sent', async (fault) => {
  const { sandbox, guarded, fail } = await smsBehindGuard();
  fail(fault);
  await send(guarded, CALLS_MIN - 1);
  expect(guarded.enter(), 'nine are too few to open it').toMatchObject({ entered: true });
  await sendOne(guarded);
  expect(guarded.enter()).toEqual(open(5_000));
  expect(sandbox.calls()).toHaveLength(CALLS_MIN);
});

const notOutages: readonly FaultRequest[] = [
  { effect: 'reject', channel: 'sms', code: 21211 },
  { effect: 'reject', channel: 'sms', code: 21610 },
  { effect: 'reject', channel: 'sms', code: 30005 },
  { effect: 'rate-limit', retry_after_seconds: 1 },
];
test.each(notOutages)('forty answers of $effect about an address leave it closed', async (fault) => {
  const { guarded, fail } = await smsBehindGuard();
  fail(fault);
  await send(guarded, 40);
  expect(guarded.enter()).toMatchObject({ entered: true });
});

test('half of the calls failing leaves it closed, one more opens it', async () => {
  let n = 0;
  const { guarded } = scripted(() => (n++ % 2 === 0 ? accepted : { kind: 'faulted', reason: 'network' }));
  await send(guarded, 20);
  expect(guarded.enter()).toMatchObject({ entered: true });
  n = 1;
  await sendOne(guarded);
  expect(guarded.enter()).toMatchObject({ because: 'open' });
});

test('when its time is over one call is let through, and its success closes the breaker', async () => {
  const { sandbox, guarded, fail, pass } = await smsBehindGuard();
  fail({ effect: 'server-error', status: 503 });
  await send(guarded, CALLS_MIN);
  pass(4_999);
  expect(guarded.enter()).toEqual(open(1));
  pass(1);
  sandbox.clearFaults();
  const probe = entered(guarded.enter());
  expect(guarded.enter(), 'one at a time').toEqual(open(1_000));
  expect(await probe.send(message, deadline())).toMatchObject({ kind: 'accepted' });
  expect(await Promise.all([1, 2, 3].map(() => sendOne(guarded)))).toHaveLength(3);
});

test('a probe that fails opens it for twice as long, a minute at most, and success forgets that', async () => {
  const { sandbox, guarded, fail, pass } = await smsBehindGuard();
  fail({ effect: 'server-error', status: 503 });
  await send(guarded, CALLS_MIN);
  for (const openForMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    expect(guarded.enter()).toEqual(open(openForMs));
    pass(openForMs);
    await sendOne(guarded);
  }
  pass(60_000);
  sandbox.clearFaults();
  await sendOne(guarded);
  fail({ effect: 'server-error', status: 503 });
  // The probe's success is the first of the ten.
  await send(guarded, CALLS_MIN - 1);
  expect(guarded.enter()).toEqual(open(5_000));
});

test('a probe that leaves unsent lets the next one try', async () => {
  const { guarded, fail, pass } = await smsBehindGuard();
  fail({ effect: 'server-error', status: 503 });
  await send(guarded, CALLS_MIN);
  pass(5_000);
  entered(guarded.enter()).leave();
  expect(guarded.enter()).toMatchObject({ entered: true });
});

test('who entered before it opened and sends after is asked to wait, and nothing is sent', async () => {
  const { sandbox, guarded, fail } = await smsBehindGuard();
  const early = entered(guarded.enter());
  fail({ effect: 'server-error', status: 503 });
  await send(guarded, CALLS_MIN);
  expect(await early.send(message, deadline())).toMatchObject({ kind: 'busy' });
  expect(sandbox.calls()).toHaveLength(CALLS_MIN);
});

test('two workers that open together don’t knock together', () => {
  expect(openMs(0, 0)).toBe(5_000);
  expect(openMs(0, 0.999)).toBeLessThan(3_760);
  expect(openMs(0, 0.999)).toBeGreaterThanOrEqual(3_750);
  expect(openMs(9, 0)).toBe(60_000);
});

test.each([0, -1, 0.5, Number.NaN])('a share of %s is refused at the start', (inFlightMax) => {
  const channel: CodeChannel = { channel: 'sms', provider: 'none', send: () => Promise.resolve(accepted) };
  expect(() => guard(channel, { inFlightMax, clock: () => new Date() })).toThrow('inFlightMax');
});

test('who finds every place taken at a provider that moves waits for the next that is given back', async () => {
  const { guarded } = await smsBehindGuard(1);
  const first = entered(guarded.enter());
  const soon = guarded.enterSoon();
  first.leave();
  entered(await soon);
  expect(guarded.enter()).toEqual(full);
});

test('no more than two wait for each place', async () => {
  const { guarded } = await smsBehindGuard(1);
  const first = entered(guarded.enter());
  const [soon, later, tooMany] = [guarded.enterSoon(), guarded.enterSoon(), guarded.enterSoon()];
  expect(await tooMany).toEqual(full);
  first.leave();
  entered(await soon).leave();
  entered(await later);
});

test('behind a provider that hangs nobody waits again until it has given a place back', async () => {
  const { guarded } = await smsBehindGuard(1);
  const first = entered(guarded.enter());
  expect(await guarded.enterSoon(), 'the first to find out waited in vain').toEqual(full);
  // Whatever waits for a timer is behind an immediate.
  const beforeAnyTimer = () =>
    Promise.race([guarded.enterSoon(), new Promise((resolve) => setImmediate(resolve, 'waited'))]);
  for (let n = 0; n < 20; n++) expect(await beforeAnyTimer()).toEqual(full);

  first.leave();
  const second = entered(await guarded.enterSoon());
  const soon = guarded.enterSoon();
  second.leave();
  entered(await soon);
});

test('who enters ahead of the calls waits for one to end, and once nobody’s does is told busy, and nobody enters ahead', async () => {
  const ends: ((reply: SendReply) => void)[] = [];
  const channel: CodeChannel = {
    channel: 'sms',
    provider: 'none',
    send: () => new Promise((resolve) => ends.push(resolve)),
  };
  const guarded = guard(channel, { inFlightMax: 1, clock: () => new Date(), ahead: () => 2 });
  const [first, second, third] = [guarded.enter(), guarded.enter(), guarded.enter()].map(entered);
  expect(guarded.enter()).toEqual(full);

  const replies = [first, second, third].map((each) => each?.send(message, deadline()));
  await expect.poll(() => ends.length).toBe(1);
  ends[0]?.(accepted);
  expect(await replies[0]).toEqual(accepted);
  await expect.poll(() => ends.length).toBe(2);
  expect(await replies[2], 'it waited in vain').toMatchObject({ kind: 'busy' });
  expect(ends).toHaveLength(2);
  expect(guarded.enter()).toEqual(full);

  ends[1]?.(accepted);
  expect(await replies[1]).toEqual(accepted);
  for (let n = 0; n < 3; n++) entered(guarded.enter());
});

test('who waits goes on waiting where fewer may enter ahead by the time that one is given back', async () => {
  let ahead = 1;
  const channel: CodeChannel = { channel: 'sms', provider: 'none', send: async () => accepted };
  const options = { inFlightMax: 1, clock: () => new Date(), ahead: () => ahead, waitMsMax: 60_000 };
  const guarded = guard(channel, options);
  const [first, second] = [guarded.enter(), guarded.enter()].map(entered);
  const soon = guarded.enterSoon();
  ahead = 0;
  first?.leave();
  expect(await Promise.race([soon, sleep(0, 'it waits')])).toBe('it waits');
  second?.leave();
  entered(await soon);
});
