/** The errors of the Telegram Gateway that do not name a time (FLOOD_WAIT_<s> does, and is `rate-limit` here). */
export const GATEWAY_ERRORS = [
  'ACCESS_TOKEN_INVALID',
  'BALANCE_NOT_ENOUGH',
  'CALLBACK_URL_INVALID',
  'CODE_INVALID',
  'CODE_LENGTH_INVALID',
  'MESSAGE_ALREADY_SENT',
  'METHOD_NOT_FOUND',
  'PAYLOAD_INVALID',
  'PHONE_NUMBER_INVALID',
  'PHONE_NUMBER_NOT_AVAILABLE',
  'PHONE_NUMBER_NOT_FOUND',
  'REQUEST_ID_INVALID',
  'TTL_INVALID',
] as const;
export type GatewayError = (typeof GATEWAY_ERRORS)[number];
