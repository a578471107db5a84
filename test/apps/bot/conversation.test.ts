import { describe, expect, test } from 'vitest';
import { type Saying, type ConversationDeps, handleAction } from '../../../apps/bot/conversation.ts';
import { texts } from '../../../apps/bot/texts.ts';
import type { BotAction } from '../../../apps/bot/update.ts';
import type { RegisterAnswer, VerifyAnswer } from '../../../domain/identity/registration/registrar.ts';
import { ProjectSettings } from '../../../domain/settings.ts';
import { ProjectId } from '../../../domain/shared/ids.ts';

const words = texts.en;
const caller = {
  projectId: ProjectId.parse('01990000-0000-7000-8000-000000000001'),
  slug: 'shop',
  mode: 'live',
  settings: ProjectSettings.parse({}),
} as const;
const unverified = { id: 1, phone: '+998901234567', phoneProof: 'none', isVerified: false, locale: 'en' };
const sent = { kind: 'sent', id: 'v', expiresAt: 'then' } as unknown as RegisterAnswer;

interface Given {
  readonly user?: object | null;
  readonly registered?: RegisterAnswer;
  readonly verified?: VerifyAnswer;
  readonly lifted?: number | null;
}
/** What the bot says to an action, and what it asked of the registrar. */
async function said(action: BotAction, given: Given = {}) {
  const sayings: Saying[] = [];
  const asked: unknown[] = [];
  const user = given.user === undefined ? unverified : given.user;
  const deps = {
    registrar: {
      find: async () => user,
      register: async (order: unknown) => {
        asked.push(order);
        return given.registered ?? sent;
      },
      verify: async (order: unknown) => {
        asked.push(order);
        return given.verified ?? { kind: 'verified' };
      },
    },
    registrations: { arrive: async () => user ?? unverified, chooseLocale: async () => {} },
    chats: { note: async () => {} },
    destinations: { liftFromChat: async () => given.lifted ?? null },
    replySender: {
      say: async (_chat: number, saying: Saying) => {
        sayings.push(saying);
      },
      answerButton: async () => {},
    },
    now: () => new Date('2026-01-15T10:00:00Z'),
    fingerprintOf: (phone: string) => `hash of ${phone}`,
  } as unknown as ConversationDeps;
  const person = { telegramId: 7, locale: 'en' } as const;
  await handleAction(deps, caller, { ...action, by: person }, { updateId: 1, requestId: 'r' });
  return { text: sayings.map((saying) => saying.text).join('\n'), sayings, asked };
}

describe('a contact', () => {
  const contact = (more: object = {}): BotAction => ({
    kind: 'contact',
    phone: '998901234567',
    isOwn: true,
    ...more,
  });

  test('of one’s own registers, once for each update', async () => {
    const { text, asked } = await said(contact());
    expect(text).toBe(words.codeOnItsWay);
    expect(asked).toMatchObject([
      {
        phone: '+998901234567',
        proof: 'contact',
        idempotency: { key: 'bot r', bodyHash: 'hash of +998901234567' },
      },
    ]);
  });

  test('of somebody else, or of no number, registers nobody', async () => {
    const others = await said(contact({ isOwn: false }));
    expect(others).toMatchObject({ text: words.notYours, asked: [] });
    expect(await said(contact({ phone: '12' }))).toMatchObject({ text: words.badPhone, asked: [] });
  });

  test('whose code is refused says how long to wait where waiting helps, a started minute counted', async () => {
    const refused = (reason: string, retryAfterSeconds: number | null) =>
      said(contact(), { registered: { kind: 'refused', reason, retryAfterSeconds } as RegisterAnswer });
    expect((await refused('too-soon', 61)).text).toBe(words.tooManyCodes(2));
    expect((await refused('too-many-sends', null)).text).toBe(words.tooManyCodes(1));
    expect((await refused('destination-locked', null)).text).toBe(words.locked);
    expect((await refused('budget-spent', 60)).text).toBe(words.sorry);
  });
});

describe('a text', () => {
  const text = (of: string): BotAction => ({ kind: 'text', text: of });

  test('that is meant as a code is checked as people write it, and counted for this account', async () => {
    const { text: answer, asked } = await said(text(' 123 456 '));
    expect(answer).toBe(words.verified);
    expect(asked).toMatchObject([
      { code: '123456', guesser: { clients: [{ subject: 'telegram:7', times: 1 }], keyId: null } },
    ]);
  });

  test('that is none, or comes from who is verified, costs no check', async () => {
    expect(await said(text('hello'))).toMatchObject({ text: words.askCode, asked: [] });
    const verified = { ...unverified, isVerified: true, phoneProof: 'contact' };
    expect(await said(text('123456'), { user: verified })).toMatchObject({
      text: words.alreadyVerified,
      asked: [],
    });
    expect(await said(text('123456'), { user: null })).toMatchObject({ asked: [] });
  });

  test('that was wrong says so, and one too many says for how long', async () => {
    const wrong = (verified: VerifyAnswer) => said(text('123456'), { verified });
    expect((await wrong({ kind: 'wrong' })).text).toBe(words.wrongCode);
    expect((await wrong({ kind: 'refused', why: { kind: 'locked' } })).text).toBe(words.locked);
    const blocked = { kind: 'refused', why: { kind: 'blocked', retryAfterSeconds: 120 } } as const;
    expect((await wrong(blocked)).text).toBe(words.tooManyChecks(2));
  });
});

test('a lock opens for who is proven, and whoever is not is asked for their number', async () => {
  expect((await said({ kind: 'unlock' }, { lifted: 2 })).text).toBe(words.unlocked);
  expect((await said({ kind: 'unlock' }, { lifted: 0 })).text).toBe(words.nothingLocked);
  const unproven = await said({ kind: 'unlock' }, { lifted: null });
  expect(unproven.sayings).toEqual([{ text: words.unlockUnproven, contactButton: words.shareButton }]);
});

test('languages are offered in their own names, and a choice is answered in the language that was chosen', async () => {
  const asked = await said({ kind: 'language', choice: null, queryId: null });
  expect(asked.sayings[0]?.buttons?.map(({ data }) => data)).toEqual([
    'language:uz',
    'language:ru',
    'language:en',
  ]);
  expect((await said({ kind: 'language', choice: 'ru', queryId: 'q' })).text).toBe(texts.ru.languageSet);
});

test('a person whose codes come in a language that the bot does not speak is answered in one that it does', async () => {
  const user = { ...unverified, locale: 'kk' };
  expect((await said({ kind: 'help' }, { user })).text).toBe(texts.ru.help);
});
