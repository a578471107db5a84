import { z } from 'zod';

/** The ways a message reaches a person, named as Navbat's own channels are. */
export const CHANNELS = ['sms', 'telegram', 'telegram-gateway', 'push'] as const;
export const Channel = z.enum(CHANNELS);
export type Channel = z.infer<typeof Channel>;

/** Who carries a message where a channel has several: SMS has an account of Twilio's and aggregators. */
export const SmsProvider = z.enum(['twilio', 'eskiz', 'play-mobile']);
export type SmsProvider = z.infer<typeof SmsProvider>;

/** What becomes of an accepted message: decided when it is accepted, so that a restart knows how it ended. */
const FATES = ['delivered', 'lost', 'undelivered'] as const;
export const Fate = z.enum(FATES);
export type Fate = z.infer<typeof Fate>;

/** The words of all providers; each uses its own part of them. */
const STATUSES = [
  'accepted',
  'queued',
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'read',
  'expired',
  'revoked',
  'deleted',
] as const;
export const Status = z.enum(STATUSES);
export type Status = z.infer<typeof Status>;

/** One message that a provider took over: a line of `messages.jsonl` and an element of `/inbox.json`. */
export const Message = z.object({
  id: z.string(),
  channel: Channel,
  /** Of an SMS. */
  provider: SmsProvider.optional(),
  /** E.164 number, chat id, or push token (or installation id). */
  to: z.string(),
  /** Number, bot id or Firebase project that sent it. */
  from: z.string(),
  text: z.string(),
  /** RFC 3339, UTC, of the moment the provider accepted it. */
  received_at: z.string(),
  /** Twilio's sid, Telegram's message id, the Gateway's request id, FCM's message name, Play Mobile's message-id. */
  provider_reference: z.string(),
  idempotency_key: z.string().optional(),
  status: Status,
  fate: Fate,
  /** Twilio's number, an aggregator's word. */
  error_code: z.union([z.number(), z.string()]).optional(),
  /** What one provider needs to answer later questions: reply_markup, data, code, ttl … */
  details: z.record(z.string(), z.unknown()),
});
export type Message = z.infer<typeof Message>;

/** A message before the inbox has numbered and dated it. */
export type NewMessage = Omit<Message, 'id' | 'received_at'>;

/** A later change of a message (edited, deleted, revoked): a line of its own, because the log is only appended to. */
export const Amendment = z.object({
  amends: z.string(),
  text: z.string().optional(),
  status: Status.optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Amendment = z.infer<typeof Amendment>;

/** From here on the inbox starts empty; what stands above stays in the log for whoever counts. */
export const Cleared = z.object({ cleared_at: z.string() });

/** How a message stands once all its steps are over: what a restart assumes of every message that it reads back. */
export function settledStatus(message: Message): Status {
  if (message.status === 'deleted' || message.status === 'revoked') return message.status;
  if (message.fate === 'delivered') return 'delivered';
  if (message.fate === 'lost') return 'sent';
  return message.channel === 'telegram-gateway' ? 'expired' : 'undelivered';
}
