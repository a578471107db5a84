import { AsyncLocalStorage } from 'node:async_hooks';
import { Api, TelegramApiError, TimeoutError } from 'node-telegram-bot-api';
import { z } from 'zod';
import type { SendReply } from '../../../domain/job/reply.ts';
import { parseModes } from '../../../domain/telegram/message.ts';
import type { TelegramMessage, TelegramSender } from '../../../domain/telegram/port.ts';
import { telegramRefusal } from '../../../domain/telegram/refusal.ts';
import type { TelegramSlots } from '../../limits/telegram-slots.ts';
import { type Answered, replyToStatus } from '../classify-status.ts';
import { headerOf, keptAlive, post } from '../http.ts';
import { busy, refused, replyWithoutAnswer, unexpected, unknown } from '../replies.ts';

const PROVIDER = 'telegram-bot';
/** 1 s: a chat takes one message a second, and a 429 that names no time is of that kind. */
const statusRules = { busyMs: 1_000, paid: false };

export interface TelegramClientOptions {
  readonly token: string;
  /** The sandbox in place of api.telegram.org. */
  readonly apiRoot?: string | undefined;
  /** The bot's turns to send: whatever sends for this bot shares them. */
  readonly slots: TelegramSlots;
  /** A group became a supergroup with an id of its own: what was sent to the old one went there. */
  readonly onMoved?: ((from: string, to: string) => Promise<void>) | undefined;
}

/** One bot's messages (Bot API, sendMessage), each at its turn (contracts §3). */
export function telegramClient({ token, apiRoot, slots, onMoved }: TelegramClientOptions): TelegramSender {
  const calls = new AsyncLocalStorage<Call>();
  const api = new Api(token, {
    // The queue repeats, with its own count and pauses.
    maxRetries: 0,
    // The attempt's deadline is the signal's.
    timeoutMs: 0,
    fetch: keptAliveFetch(calls),
    ...(apiRoot === undefined ? {} : { apiRoot }),
  });

  const send = async (message: TelegramMessage, signal: AbortSignal): Promise<Sent> => {
    if (signal.aborted) return { reply: unknown('timeout'), movedTo: null };
    const turn = await slots.turn(message, signal);
    // Nothing has left, however long it waited: no attempt is lost by that.
    if (turn.kind === 'later') return { reply: busy(turn.retryAfterMs, 'own-pace'), movedTo: null };
    const unwanted = await message.lastLook?.();
    if (unwanted) return { reply: unwanted, movedTo: null };
    const call: Call = { answered: null };
    const sent = await calls.run(call, () => sendNow(api, message, call, signal));
    if (sent.reply.kind === 'busy') await slots.freeze(sent.reply.retryAfterMs);
    return sent;
  };
  return {
    channel: 'telegram',
    provider: PROVIDER,
    async send(message, signal) {
      const first = await send(message, signal);
      if (first.movedTo === null) return first.reply;
      await onMoved?.(message.chatId, first.movedTo);
      // Refused at the old id, so that it is no repeat. One move only: a supergroup moves no more.
      return (await send({ ...message, chatId: first.movedTo }, signal)).reply;
    },
  };
}

interface Sent {
  readonly reply: SendReply;
  /** The supergroup that the group has become; nothing was sent. */
  readonly movedTo: string | null;
}

/** What one call carries past the package, whose errors drop status and headers. */
interface Call {
  answered: Answered | null;
}

async function sendNow(api: Api, message: TelegramMessage, call: Call, signal: AbortSignal): Promise<Sent> {
  try {
    return { reply: accepted(await api.sendMessage(parametersOf(message), signal)), movedTo: null };
  } catch (error) {
    const movedTo = error instanceof TelegramApiError ? error.migrateToChatId : undefined;
    return {
      reply: replyToError(error, call, signal),
      movedTo: Number.isSafeInteger(movedTo) ? String(movedTo) : null,
    };
  }
}

/** As much of `fetch` as the package uses: it posts forms and reads the status and the text. */
function keptAliveFetch(calls: AsyncLocalStorage<Call>): typeof fetch {
  const agent = keptAlive();
  return async (input, init) => {
    const { headers, body, signal } = init ?? {};
    if (typeof input !== 'string' || !(body instanceof URLSearchParams))
      throw new TypeError('expected a form');
    const message = { url: input, headers: Object.fromEntries(new Headers(headers)), body: body.toString() };
    const { status, headers: answered, text } = await post(agent, message, signal ?? null);
    const call = calls.getStore();
    if (call) call.answered = { status, retryAfter: headerOf(answered, 'retry-after') };
    return new Response(text, { status });
  };
}

type Parameters = globalThis.Parameters<Api['sendMessage']>[0];

/** Absent rather than empty: Telegram reads an empty value as one. */
function parametersOf(message: TelegramMessage): Parameters {
  const { chatId, text, format, silent, protect } = message;
  const markup = markupOf(message);
  return {
    chat_id: chatId,
    text,
    ...(parseModes[format] && { parse_mode: parseModes[format] }),
    ...(silent && { disable_notification: true }),
    // A project's name that looks like a domain needs no preview.
    ...(protect && { protect_content: true, link_preview_options: { is_disabled: true } }),
    ...(markup && { reply_markup: markup }),
  };
}

function markupOf(message: TelegramMessage): Parameters['reply_markup'] {
  const { contactButton: text } = message;
  if (text !== undefined)
    return { keyboard: [[{ text, request_contact: true }]], resize_keyboard: true, one_time_keyboard: true };
  const inline = inlineKeyboardOf(message);
  return inline.length > 0 ? { inline_keyboard: inline } : undefined;
}

function inlineKeyboardOf({ buttons = [], copyText }: TelegramMessage) {
  const copying = copyText === undefined ? [] : [[{ text: copyText, copy_text: { text: copyText } }]];
  const given = buttons.map((row) =>
    row.map(({ text, url, callback_data }) => ({
      text,
      ...(url !== undefined && { url }),
      ...(callback_data !== undefined && { callback_data }),
    })),
  );
  return [...copying, ...given];
}

const SentMessage = z.object({ message_id: z.int() });

function accepted(sent: unknown): SendReply {
  const parsed = SentMessage.safeParse(sent);
  if (!parsed.success) return unknown('answer-unreadable');
  return { kind: 'accepted', reference: String(parsed.data.message_id), cost: null };
}

function replyToError(error: unknown, { answered }: Call, signal: AbortSignal): SendReply {
  if (error instanceof TelegramApiError && Number.isInteger(error.errorCode)) return replyToRefusal(error);
  // A front end's page, cut JSON, or JSON that is none of Telegram's.
  if (answered) return replyToStatus(answered, statusRules);
  const withoutAnswer = replyWithoutAnswer(error, signal);
  if (withoutAnswer) return withoutAnswer;
  if (error instanceof TimeoutError) return unknown('timeout');
  throw unexpected(PROVIDER, error);
}

/** What Telegram's `{ ok: false }` means. */
export function replyToRefusal(
  refusal: Pick<TelegramApiError, 'errorCode' | 'description' | 'retryAfter'>,
): SendReply {
  const { errorCode, description, retryAfter } = refusal;
  // The package hands on what it was given.
  if (errorCode === 429 && typeof retryAfter === 'number') return busy(retryAfter * 1_000);
  if (errorCode < 400 || errorCode >= 500 || errorCode === 408 || errorCode === 425 || errorCode === 429)
    return replyToStatus({ status: errorCode, retryAfter: undefined }, statusRules, description);
  const { reason, dead } = telegramRefusal(errorCode, description);
  return refused(reason, dead, description);
}
