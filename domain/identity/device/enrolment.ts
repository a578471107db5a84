import { z } from 'zod';

/** 256 bits: whoever holds it may become a device, so that it must not be guessed within its life. */
export const ENROLMENT_TOKEN_BYTES = 32;
/** S0.28: long enough to unlock a phone and to scan, too short to be passed on. */
export const ENROLMENT_SECONDS = 300;

/** What a QR code carries: the right to become a device, once. It is no secret of the device. */
export const EnrolmentToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'expected the token of a QR code');
export type EnrolmentToken = z.infer<typeof EnrolmentToken>;

/** Opens Navbat's app on the phone that scans it. */
export const enrolmentLink = (token: EnrolmentToken): string => `navbat://enrol?token=${token}`;

/** As long as the code that may have to be typed lives. */
export const CONFIRM_SECONDS = 300;
/** contracts §1: as many checks as a code has. The right proof passes as the last of them. */
export const CONFIRM_TRIES_MAX = 5;
/** Not to be guessed before the device has heard it. */
export const NONCE_BYTES = 32;

/** Codes of this purpose serve nothing else. */
export const BIND_PURPOSE = 'navbat.bind-device';

/** Longer than any phone's own name, short enough for one line on a screen. */
const NAME_CHARACTERS_MAX = 64;
export const DeviceName = z
  .string()
  .trim()
  .min(1)
  .max(NAME_CHARACTERS_MAX)
  .meta({ description: 'What the person calls it.', example: 'Aziza’s phone' });
/** Shown in the list of devices, and decides nothing. */
export const DevicePlatform = z
  .string()
  .regex(/^[a-z0-9][a-z0-9 ._-]{0,31}$/i, 'expected a short name, such as android 16')
  .meta({ example: 'android 16' });
