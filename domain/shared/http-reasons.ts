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
    meaning: 'The body is larger than this route accepts.',
    retry: 'after-change',
    nextStep: 'Send less; messages to many recipients can be divided into several requests.',
    seen: ['problem'],
  },
  'headers-too-large': {
    meaning: 'The headers together are larger than the server accepts.',
    retry: 'after-change',
    nextStep: 'Send fewer or shorter headers and cookies.',
    seen: ['problem'],
  },
  'unsupported-media-type': {
    meaning: 'The body is not what this route takes: JSON, or the bytes of a file. Or it is compressed.',
    retry: 'after-change',
    nextStep: 'Send the Content-Type that `Accept` of the answer names, without Content-Encoding.',
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
      'The client closed the connection before the request or the response was complete. Counted as 499.',
    retry: 'later',
    nextStep: 'Send it again, with its Idempotency-Key.',
    seen: ['problem'],
  },
  'not-found': {
    meaning:
      'It does not exist, belongs to another project, or was made with a key of the other mode (live or test).',
    retry: 'after-change',
    nextStep: 'Check the URL and the id; /docs lists all routes.',
    seen: ['problem'],
  },
  'method-not-allowed': {
    meaning: 'The route exists but does not support this method.',
    retry: 'after-change',
    nextStep: 'Use a method that the header Allow names.',
    seen: ['problem'],
  },
  'upgrade-required': {
    meaning: 'The path is a WebSocket, and the request asks for none.',
    retry: 'after-change',
    nextStep:
      'Open it with a WebSocket client (RFC 6455); a proxy before us must pass `Upgrade` and `Connection` on.',
    seen: ['problem'],
  },
  unauthenticated: {
    meaning: 'The key, token or login is missing, unknown, revoked or expired.',
    retry: 'after-change',
    nextStep: 'Send a valid key (Authorization: Bearer nbt_…), or sign in again.',
    seen: ['problem'],
  },
  'insufficient-scope': {
    meaning: 'The key is valid but does not have the scope that this request needs.',
    retry: 'after-change',
    nextStep:
      'Use a key with the scope that `detail` names. POST /projects/{id}/keys makes one from a key that has the scope itself; of any scope, such as critical, it is made at the command line: npm run navbat -- key create <project> --scopes messages,critical.',
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
    meaning: 'A rate limit is exceeded; `violated-policies` names the limit.',
    retry: 'later',
    nextStep:
      'Wait for the seconds in Retry-After, then send no faster than the header RateLimit allows. The limit `key` is the project setting requests_per_minute.',
    seen: ['problem'],
  },
  'idempotency-key-reused': {
    meaning: 'This Idempotency-Key was used for a request with another body.',
    retry: 'after-change',
    nextStep: 'Use a new key for each new request.',
    seen: ['problem'],
  },
  'idempotency-key-missing': {
    meaning: 'This request moves money and has no Idempotency-Key. Nothing was done.',
    retry: 'after-change',
    nextStep:
      'Send it again with an Idempotency-Key of your own, such as a UUID, and repeat it under that key.',
    seen: ['problem'],
  },
  'version-required': {
    meaning:
      'This changes one version of something, and the request does not say which: If-Match is missing.',
    retry: 'after-change',
    nextStep: 'Read it, and send its ETag as If-Match.',
    seen: ['problem'],
  },
  'version-stale': {
    meaning: 'Somebody has changed it since the version that If-Match names. Nothing was done.',
    retry: 'after-change',
    nextStep: 'Read it again, see what has changed, and send its new ETag as If-Match.',
    seen: ['problem'],
  },
  'in-progress': {
    meaning:
      'Another request with the same key, or one that holds what this one needs, is still being processed. Nothing of this one was done.',
    retry: 'later',
    nextStep: 'Send it again after Retry-After, with its Idempotency-Key.',
    seen: ['problem'],
  },
  unavailable: {
    meaning:
      'The server cannot answer now: the database does not answer, or the process has no free capacity.',
    retry: 'later',
    nextStep: 'Send it again after Retry-After, with its Idempotency-Key.',
    seen: ['problem'],
  },
  'limit-uncounted': {
    meaning:
      'A limit that protects codes or passwords could not be checked because Redis does not answer. The request was refused.',
    retry: 'later',
    nextStep: 'Send it again after Retry-After. Staff look at Redis.',
    seen: ['problem'],
  },
  'not-ready': {
    meaning: 'The process runs but cannot reach Postgres.',
    retry: 'later',
    nextStep: 'Send requests to another process; staff look at Postgres.',
    seen: ['problem'],
  },
  internal: {
    meaning: 'Navbat failed because of a bug.',
    retry: 'later',
    nextStep: 'Send it again, with its Idempotency-Key. If the error repeats, report X-Request-Id to staff.',
    seen: ['problem'],
  },
  busy: {
    meaning: 'This update of Telegram is still being processed.',
    retry: 'later',
    nextStep: 'Nothing: Telegram sends it again.',
    seen: ['problem'],
  },
  'bad-signature': {
    meaning: "The callback does not have the provider's signature.",
    retry: 'after-change',
    nextStep: "Staff check the provider's token and PUBLIC_URL: the signature covers the address.",
    setting: 'PUBLIC_URL',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;
