import { Api, NetworkError, ParseError, TelegramApiError, TimeoutError } from 'node-telegram-bot-api';
import { z } from 'zod';
import type { CodeChannel, SendReply } from '../../domain/otp/port.ts';
import { keptAlive, post } from './http.ts';
import {
  addressOf,
  busy,
  faulted,
  faultOfStatus,
  refused,
  replyWithoutAnswer,
  unexpected,
  unknown,
} from './replies.ts';

const PROVIDER = 'telegram-bot';
/** 1 s: a chat takes one message a second, and a 429 that names no time is of that kind. */
const BUSY_SECONDS = 1;

export interface TelegramBotOptions {
  readonly token: string;
  /** The sandbox in place of api.telegram.org. */
  readonly apiRoot?: string | undefined;
}

/** A bot's message to a chat that has opened the bot (contracts §3). */
export function telegramBot({ token, apiRoot }: TelegramBotOptions): CodeChannel {
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
      const chat_id = addressOf(PROVIDER, message.to.chatId);
      if (signal.aborted) return unknown('timeout');
      try {
        return accepted(await api.sendMessage({ chat_id, text: message.text, ...asCode(message.code) }, signal));
      } catch (error) {
        return replyToError(error, signal);
      }
    },
  };
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

/**
 * "Forward me the code" is the commonest fraud, so that the message can't be; since clients then refuse to copy from it, a
 * button does. A project's name that looks like a domain needs no preview.
 */
const asCode = (code: string) => ({
  protect_content: true,
  link_preview_options: { is_disabled: true },
  reply_markup: { inline_keyboard: [[{ text: code, copy_text: { text: code } }]] },
});

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
  if (errorCode === 400)
    return /chat not found/i.test(description) ? refused('chat-not-found', true) : refused('message-invalid');
  return refused('provider-refused');
}
