/** Codes of this purpose serve nothing else. */
export const REGISTRATION_PURPOSE = 'telegram-registration';
