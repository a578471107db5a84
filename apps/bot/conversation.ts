import type { Destinations } from '../../domain/identity/person/destinations.ts';
import type { Locale } from '../../domain/shared/locale.ts';
import { readTelegramPhone } from '../../domain/shared/phone.ts';
import { plainCode } from '../../domain/shared/typed-code.ts';
import type { Registrations } from '../../domain/identity/registration/port.ts';
import type { ButtonPress } from '../../domain/telegram/button.ts';
import type { Chats } from '../../domain/telegram/chat.ts';
import type {
  RegisterAnswer,
  RegisterCaller,
  Registrar,
} from '../../domain/identity/registration/registrar.ts';
import type { RegisteredUser, Registrant } from '../../domain/identity/registration/user.ts';
import { BotLocale, languageNames, type Texts, texts, textsFor } from './texts.ts';
import { type BotAction, LANGUAGE_BUTTON, type Person } from './update.ts';

/** What stands below a message. `contact` is the one button that shares the person's own number. */
export interface Saying {
  readonly text: string;
  readonly contactButton?: string;
  readonly buttons?: readonly { readonly text: string; readonly data: string }[];
  /** A row each. */
  readonly links?: readonly { readonly text: string; readonly url: string }[];
}

/** What a person wants of the messages that the bot brings; null where the product that sends them is off. */
export interface BotSettings {
  /** `/settings`; `page` from 1. */
  show(telegramId: number, locale: Locale, page: number): Promise<Saying>;
  /** A button under a message that switches something off: what the person is told. Null for any other button. */
  pressed(press: ButtonPress, now: Date): Promise<Saying | null>;
  /** A line of `/help`. */
  help(locale: Locale): string;
}

export interface ReplySender {
  /** A message that can't be said is a line in the log: the person asks again. */
  say(chatId: number, saying: Saying): Promise<void>;
  /** Ends the wait of a pressed button. */
  answerButton(queryId: string): Promise<void>;
}

export interface ConversationDeps {
  readonly registrar: Registrar;
  readonly registrations: Registrations;
  readonly chats: Pick<Chats, 'note'>;
  readonly settings: BotSettings | null;
  readonly destinations: Pick<Destinations, 'liftFromChat'>;
  readonly replySender: ReplySender;
  readonly now: () => Date;
  /** A keyed hash in hex: tells two phones apart and no phone to anybody. */
  readonly fingerprintOf: (phone: string) => string;
}

/** One action of one person, with what it is answered from. */
interface ActionContext {
  readonly caller: RegisterCaller;
  readonly by: Person;
  readonly who: Registrant;
  readonly user: RegisteredUser | null;
  readonly words: Texts;
  readonly locale: Locale;
  readonly updateId: number;
  /** Names the update: the same one twice is one send. */
  readonly requestId: string;
}

/** Acts on what a person did and answers them. Each step may run twice: it then finds its effect and answers again. */
export async function handleAction(
  deps: ConversationDeps,
  caller: RegisterCaller,
  { by, ...action }: BotAction & { readonly by: Person },
  { updateId, requestId }: Pick<ActionContext, 'updateId' | 'requestId'>,
): Promise<void> {
  const who = { projectId: caller.projectId, mode: caller.mode, telegramId: by.telegramId };
  const user = await deps.registrar.find(who);
  const locale = user?.locale ?? by.locale ?? caller.settings.locale;
  const words = textsFor(locale);
  const context: ActionContext = { caller, by, who, user, words, locale, updateId, requestId };
  switch (action.kind) {
    case 'start':
      return start(deps, context, action.payload);
    case 'contact':
      return contact(deps, context, action.phone, action.isOwn);
    case 'text':
      return text(deps, context, action.text);
    case 'language':
      return language(deps, context, action.choice, action.queryId);
    case 'help':
      return help(deps, context);
    case 'settings':
      return settings(deps, context, action.page);
    case 'stop':
      // Side by side: the answer may wait for its turn, and the wish counts at once for what is on its way.
      await Promise.all([
        deps.chats.note(by.telegramId, { kind: 'stopped' }, { updateId, at: deps.now() }),
        deps.replySender.say(by.telegramId, { text: words.stopped }),
      ]);
      return;
    case 'unlock':
      return unlock(deps, context);
  }
}

const help = ({ replySender, settings: its }: ConversationDeps, { by, words, locale }: ActionContext) =>
  replySender.say(by.telegramId, {
    text: [words.help, ...(its ? [its.help(locale)] : [])].join('\n'),
  });

async function settings(deps: ConversationDeps, context: ActionContext, page: number) {
  const { by, locale } = context;
  // Without messages there is nothing to set: as for a word that the bot does not know.
  if (!deps.settings) return help(deps, context);
  return deps.replySender.say(by.telegramId, await deps.settings.show(by.telegramId, locale, page));
}

async function start(
  deps: ConversationDeps,
  { by, who, caller, words, updateId }: ActionContext,
  payload: string | null,
) {
  await deps.chats.note(by.telegramId, { kind: 'started' }, { updateId, at: deps.now() });
  const user = await deps.registrations.arrive(who, { locale: by.locale, payload }, deps.now());
  if (user.isVerified) return standing(deps, user, by, words);
  const project = caller.settings.display_name ?? caller.slug;
  return deps.replySender.say(by.telegramId, {
    text: words.welcome(project),
    contactButton: words.shareButton,
  });
}

/** Where the person stands, and what is theirs to do next. */
function standing(deps: ConversationDeps, user: RegisteredUser | null, { telegramId }: Person, words: Texts) {
  const contactButton = words.shareButton;
  if (!user?.phone) return deps.replySender.say(telegramId, { text: words.askContact, contactButton });
  if (!user.isVerified) return deps.replySender.say(telegramId, { text: words.askCode, contactButton });
  if (user.phoneProof === 'none')
    return deps.replySender.say(telegramId, { text: words.phoneUnproven, contactButton });
  return deps.replySender.say(telegramId, { text: words.alreadyVerified });
}

async function contact(deps: ConversationDeps, context: ActionContext, number: string, isOwn: boolean) {
  const { by, caller, words, requestId } = context;
  const contactButton = words.shareButton;
  // Anybody's contact can be shared; Telegram names the owner of each.
  if (!isOwn) return deps.replySender.say(by.telegramId, { text: words.notYours, contactButton });
  const read = readTelegramPhone(number);
  if (!read.ok) return deps.replySender.say(by.telegramId, { text: words.badPhone, contactButton });
  const phone = read.phone.e164;
  const answer = await deps.registrar.register({
    caller,
    telegramId: by.telegramId,
    phone,
    proof: 'contact',
    // No caller's own key holds a space.
    idempotency: { key: `bot ${requestId}`, bodyHash: deps.fingerprintOf(phone) },
    requestId,
  });
  return deps.replySender.say(by.telegramId, registered(answer, words));
}

/** Refusals of the product that sends codes. */
const waitingHelps: ReadonlySet<string> = new Set(['too-soon', 'too-many-sends', 'publishable-limit']);

function registered(answer: RegisterAnswer, words: Texts): Saying {
  switch (answer.kind) {
    case 'sent':
      return { text: words.codeOnItsWay };
    case 'already-verified':
      return { text: words.alreadyVerified };
    case 'phone-proved':
      return { text: words.phoneProved };
    case 'refused':
      if (waitingHelps.has(answer.reason))
        return { text: words.tooManyCodes(minutesOf(answer.retryAfterSeconds)) };
      return { text: answer.reason === 'destination-locked' ? words.locked : words.sorry };
  }
}

/** The chat is proven and so is the phone: whoever typed those wrong codes has neither. */
async function unlock(deps: ConversationDeps, { by, caller, words }: ActionContext) {
  const lifted = await deps.destinations.liftFromChat(by.telegramId, caller.projectId, deps.now());
  if (lifted === null)
    return deps.replySender.say(by.telegramId, {
      text: words.unlockUnproven,
      contactButton: words.shareButton,
    });
  return deps.replySender.say(by.telegramId, { text: lifted > 0 ? words.unlocked : words.nothingLocked });
}

const minutesOf = (seconds: number | null) => Math.max(1, Math.ceil((seconds ?? 0) / 60));

/** People write a code in groups, and some a digit short: it is meant as one all the same. */
const MEANT_AS_CODE = /^\d{4,8}$/;

async function text(deps: ConversationDeps, context: ActionContext, said: string) {
  const { by, caller, user, words } = context;
  const code = plainCode(said);
  if (!MEANT_AS_CODE.test(code) || user?.isVerified || !user?.phone) return standing(deps, user, by, words);
  const answer = await deps.registrar.verify({
    caller,
    telegramId: by.telegramId,
    code,
    guesser: { clients: [{ subject: `telegram:${by.telegramId}`, times: 1 }], keyId: null },
  });
  switch (answer.kind) {
    case 'verified':
      return deps.replySender.say(by.telegramId, { text: words.verified });
    case 'wrong':
      return deps.replySender.say(by.telegramId, { text: words.wrongCode, contactButton: words.shareButton });
    case 'refused':
      return deps.replySender.say(by.telegramId, {
        text:
          answer.why.kind === 'locked'
            ? words.locked
            : words.tooManyChecks(minutesOf(answer.why.retryAfterSeconds)),
      });
  }
}

async function language(
  deps: ConversationDeps,
  context: ActionContext,
  choice: BotLocale | null,
  queryId: string | null,
) {
  const { by, who, words } = context;
  if (queryId !== null) await deps.replySender.answerButton(queryId);
  if (choice === null) {
    const buttons = BotLocale.options.map((locale) => ({
      text: languageNames[locale],
      data: LANGUAGE_BUTTON + locale,
    }));
    return deps.replySender.say(by.telegramId, { text: words.chooseLanguage, buttons });
  }
  await deps.registrations.arrive(who, { locale: choice, payload: null }, deps.now());
  await deps.registrations.chooseLocale(who, choice, deps.now());
  return deps.replySender.say(by.telegramId, { text: texts[choice].languageSet });
}
