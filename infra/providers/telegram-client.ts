import { Api, NetworkError, ParseError, TelegramApiError, TimeoutError } from 'node-telegram-bot-api';
import { z } from 'zod';
import type { SendReply } from '../../domain/job/reply.ts';
import type { TelegramMessage, TelegramSender } from '../../domain/telegram/port.ts';
import type { TelegramSlots } from '../queue/telegram-slots.ts';
import { keptAlive, post } from './http.ts';
import { busy, faulted, faultOfStatus, refused, replyWithoutAnswer, unexpected, unknown } from './replies.ts';

const PROVIDER = 'telegram-bot';
/** 1 s: a chat takes one message a second, and a 429 that names no time is of that kind. */
const BUSY_SECONDS = 1;

export interface TelegramClientOptions {
  readonly token: string;
  /** The sandbox in place of api.telegram.org. */
  readonly apiRoot?: string | undefined;
  /** The bot's turns to send: whatever sends for this bot shares them. */
  readonly slots: TelegramSlots;
}

/** One bot's messages (Bot API, sendMessage), each at its turn (contracts §3). */
export function telegramClient({ token, apiRoot, slots }: TelegramClientOptions): TelegramSender {
  const api = new Api(token, {
    // The queue repeats, with its own count and pauses.
    maxRetries: 0,
    // The attempt's deadline is the signal's.
    timeoutMs: 0,
    fetch: keptAliveFetch(),
    ...(apiRoot === undefined ? {} : { apiRoot }),
  });

  return {
    channel: 'telegram',
    provider: PROVIDER,
    async send(message, signal) {
      if (signal.aborted) return unknown('timeout');
      const turn = await slots.turn(message, signal);
      // Nothing has left, however long it waited: no attempt is lost by that.
      if (turn.turn === 'later') return busy(turn.retryAfterMs);
      const reply = await sendNow(api, message, signal);
      if (reply.reply === 'busy') await slots.freeze(reply.retryAfterMs);
      return reply;
    },
  };
}

async function sendNow(api: Api, message: TelegramMessage, signal: AbortSignal): Promise<SendReply> {
  try {
    return accepted(await api.sendMessage(parametersOf(message), signal));
  } catch (error) {
    return replyToError(error, signal);
  }
}

/** As much of `fetch` as the package uses: it posts forms and reads the status and the text. */
function keptAliveFetch(): typeof fetch {
  const agent = keptAlive();
  return async (input, init) => {
    const { headers, body, signal } = init ?? {};
    if (typeof input !== 'string' || !(body instanceof URLSearchParams))
      throw new TypeError('expected a form');
    const message = { url: input, headers: Object.fromEntries(new Headers(headers)), body: body.toString() };
    const { status, text } = await post(agent, message, signal ?? null);
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

const parseModes = {
  plain: undefined,
  html: 'HTML',
  markdown: 'MarkdownV2',
} as const satisfies Record<TelegramMessage['format'], string | undefined>;

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

const Sent = z.object({ message_id: z.int() });

function accepted(sent: unknown): SendReply {
  const parsed = Sent.safeParse(sent);
  if (!parsed.success) return unknown('answer-unreadable');
  return { reply: 'accepted', reference: String(parsed.data.message_id), cost: null };
}

function replyToError(error: unknown, signal: AbortSignal): SendReply {
  if (error instanceof TelegramApiError) return replyToRefusal(error);
  const withoutAnswer = replyWithoutAnswer(error, signal);
  if (withoutAnswer) return withoutAnswer;
  if (error instanceof TimeoutError) return unknown('timeout');
  if (error instanceof ParseError) return unknown('answer-unreadable');
  // A 5xx whose body isn't Telegram's: it wraps nothing, and what it else wraps is known by now.
  if (error instanceof NetworkError && error.cause === undefined) return faulted('provider-unavailable');
  throw unexpected(PROVIDER, error);
}

/** What Telegram's `{ ok: false }` means. Only the two wordings below are told apart by text: they share a code with others. */
export function replyToRefusal(
  refusal: Pick<TelegramApiError, 'errorCode' | 'description' | 'retryAfter'>,
): SendReply {
  const { errorCode, description, retryAfter } = refusal;
  // A body that only looks like Telegram's.
  if (!Number.isInteger(errorCode)) return unknown('answer-unreadable');
  if (errorCode === 429) return busy((retryAfter ?? BUSY_SECONDS) * 1_000);
  if (errorCode >= 500) return faultOfStatus(errorCode);
  // Blocked, deactivated, or never opened: this chat takes no message until the person acts.
  if (errorCode === 403) return refused('bot-blocked', true);
  // The token stands in the path, so that a wrong one may also be "not found".
  if (errorCode === 401 || errorCode === 404) return refused('credentials');
  // Other 400s, such as "can't parse entities", are about this message alone.
  if (errorCode === 400)
    return /chat not found/i.test(description) ? refused('chat-not-found', true) : refused('message-invalid');
  return refused('provider-refused');
}
