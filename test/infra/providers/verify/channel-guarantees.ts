import { expect, test } from 'vitest';
import type { FaultRequest } from '../../../../apps/sandbox/faults.ts';
import type { CodeChannel, CodeMessage } from '../../../../domain/verify/port.ts';
import { freshSandbox } from '../../../apps/sandbox/support.ts';
import { closedPort, deadline, tap } from '../support.ts';

/** What every provider's client makes of a server that is busy, broken or gone. */
export const serverFaults: readonly { fault: FaultRequest; reply: object }[] = [
  { fault: { effect: 'rate-limit', retry_after_seconds: 7 }, reply: { kind: 'busy', retryAfterMs: 7_000 } },
  { fault: { effect: 'server-error', status: 500 }, reply: { kind: 'faulted', reason: 'provider-internal' } },
  {
    fault: { effect: 'server-error', status: 503 },
    reply: { kind: 'faulted', reason: 'provider-unavailable' },
  },
  { fault: { effect: 'hang-before', hang_ms: 0 }, reply: { kind: 'unknown', reason: 'connection-lost' } },
  { fault: { effect: 'hang-after', hang_ms: 0 }, reply: { kind: 'unknown', reason: 'connection-lost' } },
];

/** The same promises of every channel, over real sockets. `at` makes it for a sandbox at this origin. */
export function channelGuarantees(
  channel: NonNullable<FaultRequest['channel']>,
  at: (origin: string) => CodeChannel,
  message: CodeMessage,
): void {
  test.each(['hang-before', 'hang-after'] as const)(
    'a %s is unknown at the deadline, and no sooner',
    async (effect) => {
      const sandbox = await freshSandbox();
      sandbox.orderFaults({ channel, effect });
      const startedAt = performance.now();
      const reply = await at(sandbox.url).send(message, deadline(200));
      expect(reply).toMatchObject({ kind: 'unknown', reason: 'timeout' });
      expect(performance.now() - startedAt).toBeGreaterThan(150);
    },
  );

  test('nobody listening is a fault of the network, since nothing has left', async () => {
    const reply = await at(`http://127.0.0.1:${await closedPort()}`).send(message, deadline());
    expect(reply).toMatchObject({ kind: 'faulted', reason: 'network' });
  });

  test('a deadline that has passed sends nothing', async () => {
    const sandbox = await freshSandbox();
    const reply = await at(sandbox.url).send(message, AbortSignal.abort());
    expect(reply).toMatchObject({ kind: 'unknown', reason: 'timeout' });
    expect(sandbox.calls()).toEqual([]);
  });

  test('the deadline cuts the connection of a message that hangs', async () => {
    const sandbox = await freshSandbox();
    sandbox.orderFaults({ channel, effect: 'hang-before' });
    const wire = await tap(sandbox.port);
    const sending = at(wire.url).send(message, deadline(500));
    await expect.poll(() => sandbox.calls().filter(({ status }) => status === null)).toHaveLength(1);
    // The client may open another one at once, for what comes next.
    const closed = () => wire.connections() - wire.connectionsOpen();
    const before = closed();
    await sending;
    // Long before the sandbox would end it.
    await expect.poll(closed, { timeout: 10_000 }).toBeGreaterThan(before);
  });

  test('ten messages in a row need no more than two connections', async () => {
    const sandbox = await freshSandbox();
    const wire = await tap(sandbox.port);
    const provider = at(wire.url);
    for (let n = 1; n <= 10; n++) await provider.send({ ...message, attempt: n }, deadline());
    expect(sandbox.inbox()).toHaveLength(10);
    // A second one, where a message is ready before the first connection has noticed that it is free.
    expect(wire.connections()).toBeLessThanOrEqual(2);
  });
}
