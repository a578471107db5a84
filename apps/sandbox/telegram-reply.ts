import { type Answer, json, type Fields } from './http.ts';
import { TELEGRAM_REFUSALS, type TelegramRefusal } from './telegram-errors.ts';
import type { Dialect } from './under-fault.ts';

export function ok(result: unknown): Answer {
  return json(200, { ok: true, result });
}

export function refused(code: number, description: string, parameters?: Fields): Answer {
  const headers: Record<string, string> = {};
  if (typeof parameters?.['retry_after'] === 'number')
    headers['retry-after'] = String(parameters['retry_after']);
  return json(code, { ok: false, error_code: code, description, ...(parameters && { parameters }) }, headers);
}

export function badRequest(reason: string): Answer {
  return refused(400, `Bad Request: ${reason}`);
}

export function tooMany(seconds: number): Answer {
  return refused(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
}

const wordsOf: Record<number, string> = {
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

export const telegramDialect: Dialect = {
  rejected: (code) => {
    const refusal =
      TELEGRAM_REFUSALS[code in TELEGRAM_REFUSALS ? (code as TelegramRefusal) : 'chat-not-found'];
    return refused(refusal.code, refusal.description);
  },
  rateLimited: tooMany,
  failed: (status) => refused(status, wordsOf[status] ?? 'Internal Server Error'),
};
