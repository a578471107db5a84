import { z } from 'zod';
import type { KeyMode } from '../project/key.ts';
import { Locale } from '../shared/locale.ts';
import { movesMoney, Payment } from '../shared/payment.ts';
import type { PhoneFacts } from '../shared/phone.ts';
import { onceValid } from '../shared/refine.ts';
import { Channel, channels } from './channel.ts';
import { CODE_DIGITS_MAX, CODE_DIGITS_MIN } from '../shared/typed-code.ts';

/** X4 and ASVS 6.5.5: a delivered code lives 10 minutes at most. */
const TTL_SECONDS_MIN = 30;
export const TTL_SECONDS_MAX = 600;
export const TTL_SECONDS_DEFAULT = 300;
export const CODE_DIGITS_DEFAULT = 6;
/** RFC-less bound: room for an order number or a session id, not for a document. */
const METADATA_PAIRS_MAX = 20;
const METADATA_VALUE_CHARS_MAX = 500;

export const PURPOSE_DEFAULT = 'verify';
export const Purpose = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected 1 to 64 of a-z 0-9 . _ -, such as login');

/** The end user behind a request, as the calling service saw them. */
export const Client = z.strictObject({
  ip: z.union([z.ipv4(), z.ipv6()], { error: 'expected an IPv4 or IPv6 address' }).optional(),
  user_agent: z.string().max(500).optional(),
  device_id: z.string().min(1).max(128).optional(),
});

/** Only of a body that no publishable key may post: whoever holds one would vouch for themselves. */
const SentClient = Client.extend({
  trusted: z.boolean().optional().meta({
    description:
      'You vouch for this user, such as a customer who is signed in: anti-fraud factors weigh half, so that a range of numbers or an IP address that others pump does not keep a code from them. Limits and budgets stay as they are.',
  }),
});

/** Body of `POST /otp/send`. */
export const SendRequest = z
  .strictObject({
    to: z.string().min(1).max(64).meta({
      description: 'Phone in international form, or the id of a recipient.',
      example: '+998901234567',
    }),
    channels: z.array(Channel).min(1).max(channels.length).optional().meta({
      description:
        "Tried in this order; the project's own order where absent. `push` goes to the token that you gave, else to Navbat's own app, where the person types the `number` of the answer. `totp` sends nothing: the code of a bound device or an authenticator app is taken.",
    }),
    purpose: Purpose.optional().meta({
      description: 'At most one code lives for each recipient and purpose.',
      example: 'login',
    }),
    payment: Payment.optional().meta({
      description:
        'Asked for where the purpose moves money (`pay`, `payout`, `withdraw`, `transfer`, `money`). The person reads it with the code, and on the device with which they approve.',
    }),
    length: z.int().min(CODE_DIGITS_MIN).max(CODE_DIGITS_MAX).optional(),
    ttl_seconds: z.int().min(TTL_SECONDS_MIN).max(TTL_SECONDS_MAX).optional(),
    locale: Locale.optional(),
    on_resend: z
      .enum(['reuse', 'rotate'])
      .optional()
      .meta({ description: 'What a resend carries: the same code (default) or a new one.' }),
    allow_verify_by_to: z
      .boolean()
      .optional()
      .meta({ description: 'Lets `POST /otp/verify` name the phone in place of the id.' }),
    client: SentClient.optional().meta({
      description:
        'The end user, as your service saw them. `ip` and `device_id` are factors of anti-fraud rules: leave them out rather than give those of your server.',
    }),
    metadata: z
      .record(z.string().max(64), z.string().max(METADATA_VALUE_CHARS_MAX))
      .refine((pairs) => Object.keys(pairs).length <= METADATA_PAIRS_MAX, {
        ...onceValid,
        error: `expected at most ${METADATA_PAIRS_MAX} pairs`,
      })
      .optional(),
    callback_url: z.string().optional().meta({
      description:
        "Told what becomes of this verification, signed with the project's own secret (`GET /webhooks/secret`). A resend that names another is told there from then on.",
      example: 'https://example.com/navbat',
    }),
  })
  .refine(({ purpose, payment }) => payment !== undefined || !movesMoney(purpose ?? PURPOSE_DEFAULT), {
    ...onceValid,
    error: 'expected what is paid and to whom, as this purpose moves money',
    path: ['payment'],
  });
export type SendRequest = z.infer<typeof SendRequest>;

/** A send after validation, with every default filled in. */
export interface SendCommand {
  readonly phone: PhoneFacts | null;
  readonly mode: KeyMode;
  readonly channels: readonly Channel[];
  /** They are the project's own order, and nobody named them. */
  readonly channelsByDefault?: true;
  readonly purpose: string;
  /** Absent where no money moves. */
  readonly payment?: Payment;
  readonly length: number;
  readonly ttlSeconds: number;
  readonly locale: Locale | null;
  readonly onResend: 'reuse' | 'rotate';
  readonly checkByTo: boolean;
  readonly client: SendRequest['client'] | null;
  readonly metadata: Record<string, string> | null;
  /** Null on a resend: it stays what it was. */
  readonly callbackUrl: string | null;
  /** Pauses before a second, third … send in place of `RESEND_GAPS_SECONDS`; none where empty. The hourly limit stays. */
  readonly gapsSeconds?: readonly number[];
}

/** A send for a purpose of Navbat's own, as far as it differs from a plain one: six digits, five minutes, checked by its id. */
export const ownSend = (
  send: Pick<SendCommand, 'phone' | 'mode' | 'channels' | 'purpose'> & Partial<SendCommand>,
): SendCommand => ({
  length: CODE_DIGITS_DEFAULT,
  ttlSeconds: TTL_SECONDS_DEFAULT,
  locale: null,
  onResend: 'reuse',
  checkByTo: false,
  client: null,
  metadata: null,
  callbackUrl: null,
  ...send,
});

/** The service vouches for the end user. */
export const isTrusted = (client: SendCommand['client']): boolean => client?.trusted === true;

/** Whether the code confirms a payment, by its purpose or by what it says. */
export const isForMoney = ({ purpose, payment }: SendCommand) => movesMoney(purpose, payment);
