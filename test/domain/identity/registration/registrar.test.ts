import { describe, expect, test } from 'vitest';
import type { PhoneCodes } from '../../../../domain/identity/port.ts';
import type { Confirmation, Registrations } from '../../../../domain/identity/registration/port.ts';
import { registrar } from '../../../../domain/identity/registration/registrar.ts';
import type { RegisteredUser } from '../../../../domain/identity/registration/user.ts';
import { ProjectSettings } from '../../../../domain/settings.ts';
import { ProjectId, VerificationId } from '../../../../domain/shared/ids.ts';
import { Phone } from '../../../../domain/shared/phone.ts';

const now = new Date('2026-01-15T10:00:00Z');
const phone = Phone.parse('+998901234567');
const verificationId = VerificationId.parse('01990000-0000-7000-8000-000000000002');
const caller = {
  projectId: ProjectId.parse('01990000-0000-7000-8000-000000000001'),
  slug: 'shop',
  mode: 'live',
  settings: ProjectSettings.parse({}),
} as const;
const waiting: RegisteredUser = {
  id: 1,
  phone,
  phoneProof: 'none',
  isVerified: false,
  isApproved: false,
  verificationId,
  destination: { recipientId: 'r' },
  locale: null,
};
const guesser = { clients: [], keyId: null };
const order = { caller, telegramId: 7, phone, proof: 'contact', idempotency: null, requestId: 'r' } as const;

/** Registrations of one person in memory; what was sent, checked and counted. */
function world(first: RegisteredUser | null, codes: Partial<PhoneCodes> = {}, failingConfirms = 0) {
  let user = first;
  const did: string[] = [];
  let failing = failingConfirms;
  const registrations: Registrations = {
    find: async () => user,
    arrive: async () => user ?? waiting,
    givePhone: async (_who, given, proof) => {
      user = { ...(user ?? waiting), phone: given, phoneProof: proof };
      return user;
    },
    provePhone: async (_id, given) => {
      user = user && { ...user, phone: given, phoneProof: 'contact' };
      did.push('proved');
      return true;
    },
    noteCode: async () => {
      did.push('noted');
    },
    confirm: async (_confirmation: Confirmation) => {
      failing -= 1;
      if (failing >= 0) return false;
      user = user && { ...user, isVerified: true };
      did.push('confirmed');
      return true;
    },
    chooseLocale: async () => {},
  };
  const all: PhoneCodes = {
    phoneCodeMicros: 0,
    sendToPhone: () => Promise.reject(new Error('no code goes to the phone')),
    sendToChat: async () => {
      did.push('sent');
      return { ok: true, id: verificationId, expiresAt: 'then' };
    },
    check: async () => {
      did.push('checked');
      return { ok: true, id: verificationId, phone: null };
    },
    countGuess: async () => {
      did.push('counted');
      return { kind: 'unknown' };
    },
    ...codes,
  };
  return { registrar: registrar({ registrations, codes: all, now: () => now }), did, user: () => user };
}
const verify = (of: ReturnType<typeof world>, more: object = {}) =>
  of.registrar.verify({ caller, telegramId: 7, code: '123456', guesser, ...more });

describe('who registers', () => {
  test('gets a code to their chat, and its verification is noted', async () => {
    const one = world(null);
    expect(await one.registrar.register(order)).toEqual({
      kind: 'sent',
      id: verificationId,
      expiresAt: 'then',
    });
    expect(one.did).toEqual(['sent', 'noted']);
  });

  test('and is verified gets none, but may prove a phone that was only claimed, or a new one', async () => {
    const verified = { ...waiting, isVerified: true };
    const claimed = world(verified);
    expect(await claimed.registrar.register(order)).toEqual({ kind: 'phone-proved' });
    const proven = world({ ...verified, phoneProof: 'contact' });
    expect(await proven.registrar.register(order)).toEqual({ kind: 'already-verified' });
    const other = world({ ...verified, phoneProof: 'contact' });
    expect(await other.registrar.register({ ...order, phone: Phone.parse('+998901234568') })).toEqual({
      kind: 'phone-proved',
    });
    const unproven = world(verified);
    expect(await unproven.registrar.register({ ...order, proof: 'none' })).toEqual({
      kind: 'already-verified',
    });
    for (const { did } of [claimed, proven, other, unproven]) expect(did).not.toContain('sent');
  });

  test('and is refused a code learns why, and nothing is noted', async () => {
    const refusal = { reason: 'too-soon', retryAfterSeconds: 9 } as const;
    const one = world(null, { sendToChat: async () => ({ ok: false, ...refusal }) });
    expect(await one.registrar.register(order)).toEqual({ kind: 'refused', ...refusal });
    expect(one.did).not.toContain('noted');
  });
});

describe('a code', () => {
  test('that is right verifies once', async () => {
    const one = world(waiting);
    expect(await verify(one)).toEqual({ kind: 'verified' });
    expect(one.user()?.isVerified).toBe(true);
    expect(await verify(one)).toEqual({ kind: 'wrong' });
    expect(one.did).toEqual(['checked', 'confirmed']);
  });

  test('is not checked of nobody, of whoever gave no phone, or in another form', async () => {
    for (const one of [world(null), world({ ...waiting, phone: null })]) {
      expect(await verify(one)).toEqual({ kind: 'wrong' });
      expect(one.did).toEqual([]);
    }
    const one = world(waiting);
    expect(await verify(one, { code: '12345' })).toEqual({ kind: 'wrong' });
    expect(one.did).toEqual([]);
  });

  test('of somebody else is counted for whoever guesses, and takes no check away', async () => {
    for (const shownId of [null, '01990000-0000-7000-8000-000000000009']) {
      const one = world(waiting);
      expect(await verify(one, { shownId })).toEqual({ kind: 'wrong' });
      expect(one.did).toEqual(['counted']);
    }
    expect(await verify(world(waiting), { shownId: verificationId })).toEqual({ kind: 'verified' });
  });

  test('is wrong in one way, whatever was wrong with it, save where nothing was checked', async () => {
    const failing = (failure: object) =>
      world(waiting, { check: async () => ({ ok: false, failure }) as never });
    for (const failure of [
      { kind: 'incorrect', remaining: 1 },
      { kind: 'closed', reason: 'used' },
      { kind: 'unknown' },
    ])
      expect(await verify(failing(failure))).toEqual({ kind: 'wrong' });
    for (const why of [{ kind: 'locked' }, { kind: 'blocked', retryAfterSeconds: 5 }])
      expect(await verify(failing(why))).toEqual({ kind: 'refused', why });
  });
});

test('what a crash left between the check and the confirmation is made good at the next look', async () => {
  const one = world({ ...waiting, isApproved: true });
  expect((await one.registrar.find({ ...caller, telegramId: 7 }))?.isVerified).toBe(true);
});

test('a phone that changes twice meanwhile is confirmed, and a third time is a fault of ours', async () => {
  expect(await verify(world(waiting, {}, 2))).toEqual({ kind: 'verified' });
  await expect(verify(world(waiting, {}, 3))).rejects.toThrow('3 times');
});
