import { describe, expect, test } from 'vitest';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { PersonId } from '../../../../domain/identity/person/person.ts';
import { RecipientId } from '../../../../domain/identity/recipient/recipient.ts';
import { SessionId } from '../../../../domain/identity/session/session.ts';
import type { SignedIn } from '../../../../domain/identity/session/sessions.ts';
import {
  type ApprovalStanding,
  type CodeProofs,
  type CodeSignInDeps,
  type DeviceProofs,
  type SignInDeps,
  signInWithApproval,
  signInWithCode,
  signInWithDevice,
  signInWithTelegram,
} from '../../../../domain/identity/session/sign-in.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { ProjectSettings } from '../../../../domain/settings.ts';
import { ProjectId } from '../../../../domain/shared/ids.ts';

const now = new Date('2026-01-15T10:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const uuid = (n: number) => `01990000-0000-7000-8000-00000000000${n}`;
const personId = PersonId.parse(uuid(2));
const grant = {
  sessionId: SessionId.parse(uuid(3)),
  recipientId: RecipientId.parse(uuid(4)),
  accessToken: 'a',
  refreshToken: 'r',
};
const visitor = (more: object = {}, settings: object = { telegram_sign_in: true }) => ({
  userAgent: null,
  caller: {
    projectId: ProjectId.parse(uuid(9)),
    access: 'publishable',
    mode: 'live',
    settings: ProjectSettings.parse(settings),
    ...more,
  } as const,
});

type Proofs = CodeProofs & DeviceProofs;

/** Everybody is known and everything is proven, but for what a test says otherwise. */
function world(proofs: Partial<Proofs> = {}, more: Partial<Omit<SignInDeps, 'proofs'>> = {}) {
  const opened: SignedIn[] = [];
  const used = new Set<string>();
  const deps: SignInDeps & CodeSignInDeps = {
    now: () => now,
    login: () => ({ signed: true, telegramId: 7, hash: 'h', authAt: later(-1) }),
    usedLogins: {
      use: async (hash) => {
        const isNew = !used.has(hash);
        used.add(hash);
        return isNew;
      },
    },
    persons: {
      ofPhone: async () => personId,
      ofChat: async () => personId,
      recipientOf: async () => grant.recipientId,
    },
    sessions: {
      open: async (signedIn) => {
        opened.push(signedIn);
        return grant;
      },
      openOnce: async (signedIn) => {
        opened.push(signedIn);
        return opened.length > 1 ? null : grant;
      },
      refresh: () => Promise.reject(new Error('not here')),
      list: () => Promise.reject(new Error('not here')),
      end: () => Promise.reject(new Error('not here')),
    },
    proofs: {
      wentToPhone: async () => true,
      approvalOf: async () => null,
      pollTokenOf: (jobId) => `poll-${jobId}`,
      readPollToken: (token) => (token.startsWith('poll-') ? token.slice(5) : null),
      findDevice: async () => ({
        id: DeviceId.parse(uuid(5)),
        personId,
        mode: 'live',
        publicKey: { kty: 'OKP', crv: 'Ed25519', x: 'x' },
      }),
      isSignedBy: () => true,
      takeDeviceTime: async () => true,
      ...proofs,
    },
    ...more,
  };
  return { deps, opened };
}
const refused = (because: string) => ({ signedIn: false, because });

describe('what Telegram signs', () => {
  test('opens a session once, of the person whose chat it is', async () => {
    const { deps, opened } = world();
    expect(await signInWithTelegram(deps, visitor(), 'x')).toEqual({ signedIn: true, grant });
    expect(await signInWithTelegram(deps, visitor(), 'x')).toEqual(refused('used'));
    expect(opened).toMatchObject([{ personId, method: 'telegram', provenAt: later(-1), deviceId: null }]);
  });

  test('opens none of Navbat’s own app, and none where the project has not turned it on', async () => {
    const { deps, opened } = world();
    const app = visitor({ projectId: PLATFORM_PROJECT_ID });
    expect(await signInWithTelegram(deps, app, 'x')).toEqual(refused('not-for-the-app'));
    expect(await signInWithTelegram(deps, visitor({}, {}), 'x')).toEqual(refused('not-enabled'));
    expect(opened).toEqual([]);
  });

  test('opens none without a bot, or where it does not hold, and is then not used up', async () => {
    const without = world({}, { login: null });
    expect(await signInWithTelegram(without.deps, visitor(), 'x')).toEqual(refused('no-bot'));
    for (const reason of ['malformed', 'signature', 'stale'] as const) {
      const used: string[] = [];
      const { deps } = world(
        {},
        {
          login: () => ({ signed: false, reason }),
          usedLogins: { use: async (hash) => used.push(hash) > 0 },
        },
      );
      expect(await signInWithTelegram(deps, visitor(), 'x')).toEqual(refused(reason));
      expect(used).toEqual([]);
    }
  });
});

describe('a right code', () => {
  test('opens a session where it went to the phone itself, and to nobody else', async () => {
    const { deps, opened } = world();
    const code = { id: 'v', phone: '+998901234567' };
    expect(await signInWithCode(deps, visitor(), code)).toEqual({ signedIn: true, grant });
    expect(opened).toMatchObject([{ method: 'code', provenAt: now }]);
    expect(await signInWithCode(deps, visitor(), { ...code, phone: null })).toEqual(
      refused('proves-no-phone'),
    );
    const elsewhere = world({ wentToPhone: async () => false });
    expect(await signInWithCode(elsewhere.deps, visitor(), code)).toEqual(refused('proves-no-phone'));
    expect(elsewhere.opened).toEqual([]);
  });
});

describe('an approval', () => {
  const ask = (standing: ApprovalStanding | null, more: object = {}, pollToken = 'poll-j') => {
    const { deps, opened } = world({ approvalOf: async () => standing });
    return { opened, deps, result: signInWithApproval(deps, visitor(more), { id: 'v', pollToken }) };
  };
  const approved = { kind: 'approved', personId, phone: null, at: later(-5) } as const;

  test('opens one session, and no second one', async () => {
    const { result, deps, opened } = ask(approved);
    expect(await result).toEqual({ signedIn: true, grant });
    expect(opened).toMatchObject([{ method: 'approval', provenAt: later(-5) }]);
    expect(await signInWithApproval(deps, visitor(), { id: 'v', pollToken: 'poll-j' })).toEqual(
      refused('closed'),
    );
  });

  test('is unknown to whoever did not ask for it', async () => {
    expect(await ask(approved, {}, 'forged').result).toEqual(refused('unknown'));
    expect(await ask(null).result).toEqual(refused('unknown'));
  });

  test('that was denied looks to an app’s key as if nobody had answered', async () => {
    const denied = (until: Date) => ({ kind: 'denied', until }) as const;
    expect(await ask(denied(later(1))).result).toEqual(refused('pending'));
    expect(await ask(denied(now)).result).toEqual(refused('closed'));
    expect(await ask(denied(later(1)), { access: 'secret' }).result).toEqual(refused('denied'));
  });

  test('that waits or is over opens nothing', async () => {
    for (const standing of ['pending', 'closed'] as const) {
      const { result, opened } = ask({ kind: standing });
      expect(await result).toEqual(refused(standing));
      expect(opened).toEqual([]);
    }
  });
});

describe('a device', () => {
  const claim = (at: Date) => ({
    deviceId: uuid(5),
    at: at.toISOString(),
    nonce: 'n',
    signature: Buffer.alloc(64),
  });

  test('signs in to Navbat’s own app and nowhere else', async () => {
    const { deps, opened } = world();
    expect(await signInWithDevice(deps, claim(now), 'ua')).toEqual({ signedIn: true, grant });
    expect(opened).toMatchObject([{ projectId: PLATFORM_PROJECT_ID, method: 'device', deviceId: uuid(5) }]);
  });

  test('is taken with a clock that is a minute off, and not a moment more', async () => {
    for (const ms of [-60_000, 60_000])
      expect(await signInWithDevice(world().deps, claim(later(ms)), null)).toMatchObject({ signedIn: true });
    for (const ms of [-60_001, 60_001])
      expect(await signInWithDevice(world().deps, claim(later(ms)), null)).toEqual(refused('not-proven'));
  });

  test('that is not bound, did not sign, or signed the same before is refused in one way', async () => {
    for (const proofs of [
      { findDevice: async () => null },
      { isSignedBy: () => false },
      { takeDeviceTime: async () => false },
    ] satisfies Partial<Proofs>[]) {
      const { deps, opened } = world(proofs);
      expect(await signInWithDevice(deps, claim(now), null)).toEqual(refused('not-proven'));
      expect(opened).toEqual([]);
    }
  });

  test('whose time can not be read is refused', async () => {
    const unread = { ...claim(now), at: 'yesterday' };
    expect(await signInWithDevice(world().deps, unread, null)).toEqual(refused('not-proven'));
  });
});
