import type { Reason } from '../shared/reason.ts';
import type { TelegramRefusal } from './session/sign-in.ts';

/** Why what Telegram signed signs nobody in; `used` has its meaning from the codes. */
const telegram = {
  malformed: {
    meaning: 'The data does not have the form that Telegram signs.',
    retry: 'after-change',
    nextStep: "Pass on the Login widget's fields, or the Mini App's init_data, unchanged.",
    seen: ['problem-reason'],
  },
  signature: {
    meaning: "Telegram did not sign this for this installation's bot, or a field was changed.",
    retry: 'after-change',
    nextStep: "Check that the widget names this installation's bot, and pass its fields on unchanged.",
    seen: ['problem-reason'],
  },
  stale: {
    meaning: 'Telegram signed this more than 5 minutes ago.',
    retry: 'no',
    nextStep: "The person signs in with Telegram again. If the error repeats, check the server's clock.",
    seen: ['problem-reason'],
  },
  'no-bot': {
    meaning: 'This installation has no Telegram bot.',
    retry: 'after-change',
    nextStep: 'Staff set TELEGRAM_BOT_TOKEN. Until then, sign in by code.',
    setting: 'TELEGRAM_BOT_TOKEN',
    seen: ['problem-reason'],
  },
  'not-enabled': {
    meaning: "The project's setting telegram_sign_in is off.",
    retry: 'after-change',
    nextStep: 'Set telegram_sign_in to true, but only in the project whose site or app uses this bot.',
    setting: 'telegram_sign_in',
    seen: ['problem-reason'],
  },
  'not-for-the-app': {
    meaning: "Navbat's own app does not accept sign-in with Telegram.",
    retry: 'no',
    nextStep: 'Sign in by code.',
    seen: ['problem-reason'],
  },
} as const satisfies Record<Exclude<TelegramRefusal, 'used'>, Reason>;

export const identityReasons = {
  ...telegram,
  'incorrect-code': {
    meaning: 'The code is wrong.',
    retry: 'after-change',
    nextStep:
      'The person enters the code of the newest message. `remaining`, if present, is the number of checks left.',
    seen: ['problem'],
  },
  'telegram-proof-refused': {
    meaning: 'The sign-in with Telegram was refused; `reason` says why.',
    retry: 'after-change',
    nextStep: 'The person signs in with Telegram again, or by code.',
    seen: ['problem'],
  },
  'phone-not-proven': {
    meaning:
      'The code was also sent to an address that the project chose, so it does not prove the phone number.',
    retry: 'after-change',
    nextStep: 'Send the code with POST /auth/code, which uses channels that prove the phone.',
    seen: ['problem'],
  },
  'session-ended': {
    meaning: 'The session has ended: it was signed out, expired, or ended by its person.',
    retry: 'no',
    nextStep: 'The person signs in again.',
    seen: ['problem'],
  },
  'refresh-token-reused': {
    meaning: 'The refresh token was used before: somebody may have a copy, so the session was ended.',
    retry: 'no',
    nextStep: 'The person signs in again. Store the newest refresh token only.',
    seen: ['problem'],
  },
  'device-not-proven': {
    meaning:
      "The signature was not made by a bound device, or its time differs from the server's by more than 60 seconds.",
    retry: 'after-change',
    nextStep: "Check the device's clock and key; bind the device again if it was revoked.",
    seen: ['problem'],
  },
  'app-session-required': {
    meaning: "This route needs a session of Navbat's own app, not of a project.",
    retry: 'no',
    nextStep: "Sign in to Navbat's own app.",
    seen: ['problem'],
  },
  'device-session-required': {
    meaning: 'This route needs the session of a bound device.',
    retry: 'no',
    nextStep: 'Sign in with the device (POST /auth/device).',
    seen: ['problem'],
  },
  'earner-session-required': {
    meaning:
      'This is about money: it needs a live session of the project in which people earn. A session of any other project, or of a test key, reaches none of it.',
    retry: 'no',
    nextStep: 'Sign in to the project in which you earn. Staff set it by MONEY_PROJECT.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;
