import type { Reason } from '../../shared/reason.ts';
import { DEVICES_MAX } from './device.ts';

export const deviceReasons = {
  'too-many-devices': {
    meaning: `The person has ${DEVICES_MAX} devices, the maximum.`,
    retry: 'after-change',
    nextStep: 'The person revokes one of them first.',
    seen: ['problem'],
  },
  'enrolment-over': {
    meaning: 'The QR code is unknown, was used, or has expired after five minutes.',
    retry: 'no',
    nextStep: 'Ask for a new QR code.',
    seen: ['problem'],
  },
  'wrong-proof': {
    meaning: 'The signature or the TOTP code of the device is wrong.',
    retry: 'after-change',
    nextStep: "Check the signed text and the device's clock.",
    seen: ['problem'],
  },
  'code-required': {
    meaning: 'A code was sent to the phone, but the request does not contain it.',
    retry: 'after-change',
    nextStep: 'Send the request again with the code as `code`.',
    seen: ['problem'],
  },
  'no-phone': {
    meaning: 'The recipient has no phone number, so the code cannot be sent.',
    retry: 'after-change',
    nextStep: 'Store the phone first (PUT /recipients).',
    seen: ['problem'],
  },
  'not-this-device': {
    meaning: 'Only the device itself can set the address for its pushes.',
    retry: 'no',
    nextStep: 'Send it from the device, with its own session.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;
