/** The refusals of Eskiz that the sandbox knows: HTTP status and wording as its clients have seen them (contracts §5a). */
export const ESKIZ_ERRORS = {
  'token-expired': { status: 401, message: 'Token has expired' },
  unauthenticated: { status: 401, message: 'Unauthenticated.' },
  'number-invalid': { status: 422, message: { mobile_phone: ['The mobile phone format is invalid.'] } },
  'text-not-moderated': { status: 400, message: 'Этот текст не прошёл модерацию.' },
  'test-texts-only': {
    status: 400,
    message:
      'Для теста можно использовать только один из этих текстов: "Bu Eskiz dan test", "Это тест от Eskiz", "This is test from Eskiz"',
  },
  'balance-empty': { status: 400, message: 'Недостаточно средств на балансе.' },
  refused: { status: 400, message: 'The message was refused.' },
} as const;
export type EskizErrorCode = keyof typeof ESKIZ_ERRORS;

/** What it reports of a message that it had accepted and could not deliver. */
export const ESKIZ_FAILURES = ['UNDELIV', 'EXPIRED', 'REJECTED', 'DELETED'] as const;
