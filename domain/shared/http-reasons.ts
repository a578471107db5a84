import type { Reason } from './reason.ts';

/** Problems that any request may meet, before it is about anything. */
export const httpReasons = {
  'invalid-request': {
    meaning: 'The request does not have the documented form; `errors` names each bad field.',
    retry: 'after-change',
    nextStep: 'Correct the fields in `errors`; /docs shows each route with an example.',
    seen: ['problem'],
  },
  'malformed-body': {
    meaning: 'The body cannot be read: it is not JSON, or it ended too early.',
    retry: 'after-change',
    nextStep: 'Send one JSON document in UTF-8.',
    seen: ['problem'],
  },
  'malformed-request': {
    meaning: 'This is not an HTTP request.',
    retry: 'after-change',
    nextStep: 'Check client and proxy: they must speak HTTP/1.1.',
    seen: ['problem'],
  },
  'body-too-large': {
    meaning: 'The body is larger than this route takes.',
    retry: 'after-change',
    nextStep: 'Send less; messages to many recipients can be divided into several requests.',
    seen: ['problem'],
  },
  'headers-too-large': {
    meaning: 'The headers together are larger than the server takes.',
    retry: 'after-change',
    nextStep: 'Send fewer or shorter headers and cookies.',
    seen: ['problem'],
  },
  'unsupported-media-type': {
    meaning: 'The body is not JSON, or it is compressed.',
    retry: 'after-change',
    nextStep: 'Send Content-Type: application/json, without Content-Encoding.',
    seen: ['problem'],
  },
  'request-timeout': {
    meaning: 'The request took too long to arrive.',
    retry: 'later',
    nextStep: 'Send it again, with its Idempotency-Key.',
    seen: ['problem'],
  },
  'client-gone': {
    meaning:
      'The client closed the connection before its request, or the answer to it, had arrived. Counted as 499; nobody reads the answer.',
    retry: 'later',
    nextStep: 'Send it again, with its Idempotency-Key.',
    seen: ['problem'],
  },
  'not-found': {
    meaning: 'There is no such thing, or it belongs to another project or to keys of the other mode.',
    retry: 'after-change',
    nextStep: 'Check address and id; /docs lists all routes.',
    seen: ['problem'],
  },
  'method-not-allowed': {
    meaning: 'The address exists, and does not take this method.',
    retry: 'after-change',
    nextStep: 'Use a method that the header Allow names.',
    seen: ['problem'],
  },
  unauthenticated: {
    meaning: 'No key, token or login, or one that is unknown, revoked or expired.',
    retry: 'after-change',
    nextStep: 'Send a valid key (Authorization: Bearer nbt_…), or sign in again.',
    seen: ['problem'],
  },
  'insufficient-scope': {
    meaning: 'The key is valid, and does not have the scope that this needs.',
    retry: 'after-change',
    nextStep: 'Use a key with the scope that `detail` names, or make one (POST /projects/{id}/keys).',
    seen: ['problem'],
  },
  'origin-not-allowed': {
    meaning:
      "A page of this web origin may not use the publishable key: the origin is not in the key's `allowed_origins`.",
    retry: 'after-change',
    nextStep:
      'Add the origin to the key (PATCH /projects/{id}/keys/{keyId}), exactly as the browser sends it.',
    setting: 'allowed_origins',
    seen: ['problem'],
  },
  'live-key-required': {
    meaning: 'A test key reaches only what test keys made; this needs a live key.',
    retry: 'after-change',
    nextStep: 'Use a live key.',
    seen: ['problem'],
  },
  'quota-exceeded': {
    meaning: 'More requests came than a limit allows; `violated-policies` names the limit.',
    retry: 'later',
    nextStep:
      'Wait for the seconds in Retry-After, and slow down by what RateLimit says. The limit `key` is the project setting requests_per_minute.',
    seen: ['problem'],
  },
  'idempotency-key-reused': {
    meaning: 'This Idempotency-Key was used for a request with another body.',
    retry: 'after-change',
    nextStep: 'Use a new key for each new request.',
    seen: ['problem'],
  },
  'in-progress': {
    meaning: 'Another request with the same key, or for the same thing, is still at work.',
    retry: 'later',
    nextStep: 'Send it again after Retry-After, with its Idempotency-Key.',
    seen: ['problem'],
  },
  unavailable: {
    meaning: 'The server cannot answer now: the database does not answer, or the process is full.',
    retry: 'later',
    nextStep: 'Send it again after Retry-After, with its Idempotency-Key.',
    seen: ['problem'],
  },
  'limit-uncounted': {
    meaning:
      'A limit that protects codes or passwords could not be counted over all processes, so that nothing was done.',
    retry: 'later',
    nextStep: 'Send it again after Retry-After. Staff look at Redis: it does not answer.',
    seen: ['problem'],
  },
  'not-ready': {
    meaning: 'The process runs, and cannot reach what it needs.',
    retry: 'later',
    nextStep: 'Send requests to another process; staff look at Postgres.',
    seen: ['problem'],
  },
  internal: {
    meaning: 'An error in Navbat.',
    retry: 'later',
    nextStep: 'Send it again, with its Idempotency-Key. If it goes on, report X-Request-Id to staff.',
    seen: ['problem'],
  },
  busy: {
    meaning: 'This update of Telegram is being worked on.',
    retry: 'later',
    nextStep: 'Nothing: Telegram sends it again.',
    seen: ['problem'],
  },
  'bad-signature': {
    meaning: "The callback does not carry the provider's signature.",
    retry: 'after-change',
    nextStep: "Staff check the provider's token and PUBLIC_URL: the signature covers the address.",
    setting: 'PUBLIC_URL',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;
