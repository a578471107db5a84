/**
 * The refusals of `POST /send` that the sandbox knows, worded after the broker's own list. Codes from 900 are the sandbox's: the
 * broker's codes of these are not known here, and Navbat goes by the words.
 */
export const PLAY_MOBILE_ERRORS = {
  internal: { status: 500, code: '100', description: 'Internal server error' },
  'syntax-error': { status: 400, code: '101', description: 'Syntax error' },
  'account-locked': { status: 403, code: '102', description: 'Account lock' },
  'invalid-priority': { status: 400, code: '104', description: 'Invalid priority' },
  'empty-recipient': { status: 400, code: '202', description: 'Empty recipient' },
  'empty-message-id': { status: 400, code: '205', description: 'Empty message-id' },
  'empty-originator': { status: 400, code: '401', description: 'Empty originator' },
  'empty-content': { status: 400, code: '404', description: 'Empty content' },
  'invalid-ttl': { status: 400, code: '407', description: 'Invalid ttl' },
  credentials: { status: 401, code: '900', description: 'Wrong login or password' },
  'number-invalid': { status: 400, code: '901', description: 'Invalid recipient' },
  'balance-empty': { status: 400, code: '902', description: 'Not enough money on the balance' },
  'text-not-moderated': { status: 400, code: '903', description: 'The text was not approved by moderation' },
  refused: { status: 400, code: '905', description: 'The message was refused' },
  duplicate: { status: 400, code: '904', description: 'Duplicate message-id' },
} as const;

/** What the broker reports of a message that it accepted and could not deliver. */
export const PLAY_MOBILE_FAILURES = ['NotDelivered', 'Failed', 'Rejected', 'Expired'] as const;
