import { describe, expect, test } from 'vitest';
import { ProjectSettings } from '../../../domain/settings.ts';
import { ProjectId, VerificationId } from '../../../domain/shared/ids.ts';
import { Phone } from '../../../domain/shared/phone.ts';
import { channelRules, phoneProvingChannels } from '../../../domain/verify/channel.ts';
import type { Check } from '../../../domain/verify/checks.ts';
import type { CheckResult } from '../../../domain/verify/check.ts';
import type { SendAnswer, SendOrder } from '../../../domain/verify/intake.ts';
import { phoneCodes } from '../../../domain/verify/phone-codes.ts';

const projectId = ProjectId.parse('01990000-0000-7000-8000-000000000001');
const id = VerificationId.parse('01990000-0000-7000-8000-000000000002');
const sender = { projectId, slug: 'shop', mode: 'test', settings: ProjectSettings.parse({}) } as const;
const phone = Phone.parse('+998901234567');
const guesser = { clients: [], keyId: null };

/** What reaches the intake, the checks and the gate. */
function world(
  answer: object = {},
  checked: CheckResult = { kind: 'unknown' },
  blockedFor: number | null = null,
) {
  const orders: SendOrder[] = [];
  const checks: Check[] = [];
  let counted = 0;
  const codes = phoneCodes({
    intake: {
      accept: async (order) => {
        orders.push(order);
        return { kind: 'accepted', id, expiresAt: 'then', replayed: false, ...answer } as SendAnswer & {
          replayed: boolean;
        };
      },
    },
    checks: {
      check: async (check) => {
        checks.push(check);
        return checked;
      },
    },
    failures: {
      enter: async () => {
        counted += 1;
        return blockedFor;
      },
      forgive: () => {
        counted -= 1;
      },
    },
  });
  return { codes, orders, checks, counted: () => counted };
}

describe('a code to a phone', () => {
  const order = { sender, phone, purpose: 'p', ttlSeconds: 300, asker: 'token', requestId: 'r' };

  test('is live and goes on what proves the phone alone, whoever asks', async () => {
    const { codes, orders } = world();
    expect(await codes.sendToPhone(order)).toEqual({ ok: true, id, expiresAt: 'then' });
    expect(orders[0]).toMatchObject({
      asker: { kind: 'stranger', from: 'token' },
      destination: { phone },
      command: { mode: 'live', channels: phoneProvingChannels, checkByTo: false },
    });
  });

  test('costs at most what the dearest of these channels does', () => {
    for (const channel of phoneProvingChannels)
      expect(world().codes.phoneCodeMicros).toBeGreaterThanOrEqual(channelRules[channel].reservedMicros);
  });

  test('that is refused says why, and until when', async () => {
    const refusal = { reason: 'too-soon', retryAfterSeconds: 9, facts: { until: 'x' } };
    const { codes } = world({ kind: 'refused', ...refusal });
    expect(await codes.sendToPhone(order)).toEqual({ ok: false, ...refusal });
  });

  test('is no resend, and its key is its own: another answer is a fault of ours', async () => {
    for (const kind of ['closed', 'key-reused'])
      await expect(world({ kind }).codes.sendToPhone(order)).rejects.toThrow(/own|resend/);
  });
});

test('a code to a chat keeps the mode of its key, and says nothing of a phone', async () => {
  const { codes, orders } = world();
  await codes.sendToChat({
    sender,
    destination: { recipientId: 'x' },
    purpose: 'p',
    digits: 6,
    ttlSeconds: 60,
    idempotency: null,
    requestId: 'r',
  });
  expect(orders[0]?.command).toMatchObject({
    phone: null,
    mode: 'test',
    channels: ['telegram'],
    onResend: 'rotate',
  });
  expect(orders[0]?.asker).toEqual({ kind: 'service' });
});

describe('a check', () => {
  const check = { projectId, mode: 'live', of: { id }, purpose: 'p', code: '1', guesser } as const;

  test('by id names the purpose too, so that a code of another is unknown', async () => {
    const right = { kind: 'approved', id, purpose: 'p', phone } as const;
    const { codes, checks, counted } = world({}, right);
    expect(await codes.check(check)).toEqual({ ok: true, id, phone });
    expect(checks[0]?.of).toEqual({ id, purpose: 'p', by: 'stranger' });
    expect(counted()).toBe(0);
  });

  test('that was wrong says how it was wrong, and is counted', async () => {
    const { codes, counted } = world({}, { kind: 'incorrect', remaining: 3 });
    expect(await codes.check(check)).toEqual({ ok: false, failure: { kind: 'incorrect', remaining: 3 } });
    expect(counted()).toBe(1);
  });
});

test('a guess is counted, and touches no code', async () => {
  const { codes, checks, counted } = world();
  expect(await codes.countGuess(projectId, guesser)).toEqual({ kind: 'unknown' });
  expect([checks.length, counted()]).toEqual([0, 1]);
  expect(await world({}, { kind: 'unknown' }, 5).codes.countGuess(projectId, guesser)).toEqual({
    kind: 'blocked',
    retryAfterSeconds: 5,
  });
});
