import { describe, expect, test } from 'vitest';
import { binder, type BinderDeps, stepOf } from '../../../../domain/identity/device/binding.ts';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { EnrolmentToken } from '../../../../domain/identity/device/enrolment.ts';
import type {
  ConfirmTry,
  DeviceClaim,
  Devices,
  DeviceView,
} from '../../../../domain/identity/device/port.ts';
import { totpCode, totpStep } from '../../../../domain/shared/totp.ts';
import { PersonId } from '../../../../domain/identity/person/person.ts';
import type { CodeSent, PhoneCodes } from '../../../../domain/identity/port.ts';
import { ProjectSettings } from '../../../../domain/settings.ts';
import { ProjectId, VerificationId } from '../../../../domain/shared/ids.ts';
import { Phone } from '../../../../domain/shared/phone.ts';

const now = new Date('2026-01-15T10:00:00Z');
const uuid = (n: number) => `01990000-0000-7000-8000-00000000000${n}`;
const deviceId = DeviceId.parse(uuid(1));
const personId = PersonId.parse(uuid(2));
const verificationId = VerificationId.parse(uuid(3));
const phone = Phone.parse('+998901234567');
const token = EnrolmentToken.parse('t'.repeat(43));
const secret = Buffer.from('12345678901234567890');
const step = totpStep(now);
const payer = { projectId: ProjectId.parse(uuid(4)), dailyBudgetMicros: 100 };
const device = { id: deviceId } as unknown as DeviceView;
const waiting = {
  id: deviceId,
  secret,
  signs: { nonce: 'n', publicKey: { kty: 'OKP', crv: 'Ed25519', x: 'x' } },
  person: null,
  verificationId,
  askedBy: null,
  triesLeft: 2,
} as unknown as ConfirmTry;

interface World {
  readonly claimed?: object;
  readonly charged?: boolean;
  readonly sent?: CodeSent;
  readonly attempt?: ConfirmTry | null;
  readonly signed?: boolean;
  readonly checked?: Awaited<ReturnType<PhoneCodes['check']>>;
}
/** Everything goes well, but for what a test says otherwise; `did` is what was written, in its order. */
function world(given: World = {}) {
  const did: string[] = [];
  const note = (what: string) => async () => {
    did.push(what);
  };
  const devices = {
    claim: async () => given.claimed ?? { claim: 'pending', device, phone },
    unclaim: note('unclaimed'),
    noteCode: note('code noted'),
    noteOwner: note('owner noted'),
    drop: note('dropped'),
    countTry: async () => (given.attempt === undefined ? waiting : given.attempt),
    bind: async () => {
      did.push('bound');
      return { bound: true, device };
    },
  } as unknown as Devices;
  const deps = {
    devices,
    payers: {
      of: async () => payer,
      charge: async () => {
        did.push('charged');
        return given.charged ?? true;
      },
      refund: note('refunded'),
    },
    persons: { ofPhone: async () => personId, recipientOf: async () => uuid(5) },
    sessions: {
      open: async () => {
        did.push('opened');
        return 'grant';
      },
    },
    codes: {
      phoneCodeMicros: 10,
      sendToPhone: async () => {
        did.push('sent');
        return given.sent ?? { ok: true, id: verificationId, expiresAt: 'then' };
      },
      check: async () => {
        did.push('checked');
        return given.checked ?? { ok: true, id: verificationId, phone };
      },
    },
    platform: async () => ({ settings: ProjectSettings.parse({}) }),
    isSigned: async () => given.signed ?? true,
    sameText: (a: string, b: string) => a === b,
    now: () => now,
  } as unknown as BinderDeps;
  return { binder: binder(deps), did };
}

describe('a claim', () => {
  const claim = { token } as unknown as DeviceClaim;

  test('is paid for before its code is sent', async () => {
    const one = world();
    expect(await one.binder.claim(claim, payer, 'r')).toEqual({
      kind: 'pending',
      device,
      codeSentTo: phone,
    });
    expect(one.did).toEqual(['charged', 'sent', 'code noted']);
  });

  test('of which the code was not sent is paid back, and the QR code is good again', async () => {
    const one = world({ sent: { ok: false, reason: 'too-soon', retryAfterSeconds: 9 } });
    expect(await one.binder.claim(claim, payer, 'r')).toEqual({
      kind: 'refused',
      reason: 'too-soon',
      retryAfterSeconds: 9,
    });
    expect(one.did).toEqual(['charged', 'sent', 'refunded', 'unclaimed']);
  });

  test('for which the budget has no room sends nothing, takes nothing and says until when', async () => {
    const one = world({ charged: false });
    expect(await one.binder.claim(claim, payer, 'r')).toMatchObject({
      kind: 'refused',
      reason: 'budget-spent',
      facts: { until: new Date('2026-01-16T00:00:00Z') },
    });
    expect(one.did).toEqual(['charged', 'unclaimed']);
  });

  test('of a person who proved themselves sends no code, and costs nobody anything', async () => {
    const one = world({ claimed: { claim: 'pending', device, phone: null } });
    expect(await one.binder.claim(claim, null, 'r')).toEqual({ kind: 'pending', device, codeSentTo: null });
    expect(one.did).toEqual([]);
  });

  test('that nobody pays for sends no code', async () => {
    const one = world();
    await expect(one.binder.claim(claim, null, 'r')).rejects.toThrow('no project');
    expect(one.did).toEqual([]);
  });
});

describe('a confirmation', () => {
  const order = {
    deviceId,
    signature: 's',
    totp: totpCode(secret, step),
    code: '123456',
    clients: [],
    userAgent: null,
  };

  test('binds once signature, TOTP and the code to the phone hold', async () => {
    const one = world();
    expect(await one.binder.confirm(order)).toMatchObject({ kind: 'bound', grant: 'grant' });
    expect(one.did).toEqual(['checked', 'owner noted', 'bound', 'opened']);
  });

  test('with a wrong signature or TOTP checks no code, and tells neither from the other', async () => {
    const unsigned = world({ signed: false });
    const wrong = world();
    const refusal = { kind: 'wrong-proof', triesLeft: 2 };
    expect(await unsigned.binder.confirm(order)).toEqual(refusal);
    expect(await wrong.binder.confirm({ ...order, totp: totpCode(secret, step + 5) })).toEqual(refusal);
    expect([...unsigned.did, ...wrong.did]).toEqual([]);
  });

  test('that was wrong a last time drops the device', async () => {
    const one = world({ signed: false, attempt: { ...waiting, triesLeft: 0 } });
    expect(await one.binder.confirm(order)).toEqual({ kind: 'wrong-proof', triesLeft: 0 });
    expect(one.did).toEqual(['dropped']);
  });

  test('without the code, or with a wrong one, binds nothing', async () => {
    const missing = world();
    expect(await missing.binder.confirm({ ...order, code: null })).toEqual({ kind: 'code-missing' });
    const failure = { kind: 'incorrect', remaining: 1 } as const;
    const wrong = world({ checked: { ok: false, failure } });
    expect(await wrong.binder.confirm(order)).toEqual({ kind: 'wrong-code', why: failure });
    for (const { did } of [missing, wrong]) expect(did).not.toContain('bound');
  });

  test('of an authenticator, which signs nothing, or of no device at all is unknown', async () => {
    for (const attempt of [null, { ...waiting, signs: null }, { ...waiting, verificationId: null }]) {
      const one = world({ attempt });
      expect(await one.binder.confirm(order)).toEqual({ kind: 'unknown' });
      expect(one.did).toEqual([]);
    }
  });
});

test('an authenticator is bound by its TOTP alone', async () => {
  const right = { personId, deviceId, totp: totpCode(secret, step) };
  expect(await world().binder.confirmAuthenticator(right)).toEqual({ kind: 'bound', device });
  const wrong = { ...right, totp: totpCode(secret, step + 5) };
  expect(await world().binder.confirmAuthenticator(wrong)).toEqual({ kind: 'wrong-proof', triesLeft: 2 });
});

test('a clock may be one step off, and the step is told, so that it is taken once', () => {
  const same = (a: string, b: string) => a === b;
  for (const drift of [-1, 0, 1])
    expect(stepOf(same, secret, totpCode(secret, step + drift), now)).toBe(step + drift);
  for (const drift of [-2, 2]) expect(stepOf(same, secret, totpCode(secret, step + drift), now)).toBeNull();
});
