import type { Reason } from '../shared/reason.ts';
import type { ProviderFault, ProviderRefusal, UnknownReason } from './reply.ts';

/** Ends and pauses that the engine itself gives a job. */
const engine = {
  deadline: {
    meaning: 'The deadline of the job passed before it could be done.',
    retry: 'no',
    nextStep:
      'Ask for it again. If many jobs end so, look at /ops: a queue is paused, or has too few workers.',
    seen: ['job'],
  },
  unconfirmed: {
    meaning: 'The message was handed to the provider, and nothing confirmed that it arrived.',
    retry: 'no',
    nextStep: 'Nothing, if the code was typed in. Else the person asks for a new code, by another channel.',
    seen: ['job'],
  },
  unknown: {
    meaning: 'The last attempt ended without an answer, so it is not known whether it succeeded.',
    retry: 'no',
    nextStep: 'Ask the recipient whether it arrived before you send it again.',
    seen: ['job'],
  },
  rejected: {
    meaning: 'The provider refused the message and named no reason.',
    retry: 'no',
    nextStep: "Look at the job's attempts for what the provider answered.",
    seen: ['job'],
  },
  'attempts-used-up': {
    meaning: 'The job used all attempts that its kind allows.',
    retry: 'later',
    nextStep: "Look at the job's attempts for the cause, then ask for it again.",
    seen: ['job'],
  },
  'provider-busy': {
    meaning: 'The provider asked us to slow down.',
    retry: 'later',
    nextStep: 'Nothing: the job waits as long as the provider asks. If it ended so, ask for it again later.',
    seen: ['job', 'attempt'],
  },
  'own-pace': {
    meaning: 'The message waits for its turn: Navbat keeps to the pace that the provider grants.',
    retry: 'later',
    nextStep: 'Nothing: it goes out at its turn. If it expired so, give it more time or a higher priority.',
    seen: ['job', 'attempt'],
  },
  'payload-unreadable': {
    meaning: 'The stored job does not have a form that this version understands.',
    retry: 'no',
    nextStep: 'Ask for it again. If it was made by another version of Navbat, update all processes.',
    seen: ['job'],
  },
  'no-such-job': {
    meaning: 'A queue entry names a job that Postgres does not have; nothing was done.',
    retry: 'no',
    nextStep: 'Nothing: the job was deleted after its retention, or Redis is older than Postgres.',
    seen: ['job'],
  },
  'worker-lost': {
    meaning: 'The worker that made this attempt stopped before it recorded the result.',
    retry: 'later',
    nextStep: 'Nothing: another worker goes on with the job. The message may have left already.',
    seen: ['attempt'],
  },
  'cancelled-by-staff': {
    meaning: 'A member of staff cancelled the job.',
    retry: 'no',
    nextStep: 'Ask for it again if it is still wanted. /ops/audit says who cancelled it.',
    seen: ['job'],
  },
} as const satisfies Record<string, Reason>;

/** What a provider refuses for good. */
const refusals = {
  'bot-blocked': {
    meaning: 'The person blocked the Telegram bot.',
    retry: 'after-change',
    nextStep: 'The person unblocks the bot or presses Start in it. Or use another channel.',
    seen: ['job', 'attempt', 'chat'],
  },
  'bot-kicked': {
    meaning: 'The Telegram bot was removed from the group or channel, or is not a member of it.',
    retry: 'after-change',
    nextStep: 'An admin of the group or channel adds the bot again, which opens the chat at once.',
    seen: ['job', 'attempt', 'chat'],
  },
  'bot-not-started': {
    meaning: 'The person has never opened the Telegram bot, which may not write first.',
    retry: 'after-change',
    nextStep: 'The person presses Start in the bot. Or use another channel.',
    seen: ['job', 'attempt', 'chat'],
  },
  'user-deactivated': {
    meaning: 'The Telegram account was deleted or banned.',
    retry: 'no',
    nextStep: 'Ask the person for another way to reach them, and remove the chat from the recipient.',
    seen: ['job', 'attempt', 'chat'],
  },
  'chat-not-found': {
    meaning: 'Telegram knows no such chat, or the bot was never there.',
    retry: 'after-change',
    nextStep: 'Check the chat id; the person presses Start in the bot, or an admin adds it to the group.',
    seen: ['job', 'attempt', 'chat'],
  },
  'chat-upgraded': {
    meaning: 'The group became a supergroup with another chat id, which Telegram did not name.',
    retry: 'after-change',
    nextStep:
      'Somebody writes /start in the group, or an admin adds the bot again; then use the new chat id.',
    seen: ['job', 'attempt', 'chat'],
  },
  'no-rights': {
    meaning: 'The Telegram bot is in the chat and may not write there.',
    retry: 'after-change',
    nextStep: 'An admin of the group or channel allows the bot to send messages.',
    seen: ['job', 'attempt'],
  },
  'topic-closed': {
    meaning: 'The topic of the group that the message goes to is closed or gone.',
    retry: 'after-change',
    nextStep: 'An admin of the group opens the topic again.',
    seen: ['job', 'attempt'],
  },
  'message-too-long': {
    meaning: 'The text is longer than the provider takes.',
    retry: 'after-change',
    nextStep: 'Shorten the text, and send it again.',
    seen: ['job', 'attempt'],
  },
  'markup-invalid': {
    meaning: 'The provider cannot read the markup of the text.',
    retry: 'after-change',
    nextStep: 'Correct the markup that provider_message of the attempt names, and send it again.',
    seen: ['job', 'attempt'],
  },
  'token-unregistered': {
    meaning: 'The push token is not valid any more: the app was removed or has a newer token.',
    retry: 'after-change',
    nextStep: 'Store the new token with PUT /recipients when the app starts next.',
    seen: ['job', 'attempt'],
  },
  'token-of-another-app': {
    meaning: 'The push token belongs to an app of another Firebase project.',
    retry: 'after-change',
    nextStep: "Check that the app uses the Firebase project of this installation's service account.",
    setting: 'GOOGLE_APPLICATION_CREDENTIALS',
    seen: ['job', 'attempt'],
  },
  'message-invalid': {
    meaning: 'The provider does not accept the message in this form.',
    retry: 'after-change',
    nextStep: 'Correct the content, such as its markup, its length or its links, and send it again.',
    seen: ['job', 'attempt'],
  },
  credentials: {
    meaning: "The provider does not accept this installation's credentials, sender or account.",
    retry: 'after-change',
    nextStep:
      'Staff check the credentials of the provider in the environment, then retry from /ops/failures.',
    seen: ['job', 'attempt'],
  },
  'number-invalid': {
    meaning: 'The provider says that this is not a phone number.',
    retry: 'after-change',
    nextStep: 'Ask the person for their number again.',
    seen: ['job', 'attempt'],
  },
  'number-unreachable': {
    meaning: 'The phone could not be reached: it is off, without network, or its operator refuses.',
    retry: 'later',
    nextStep: 'The person checks their phone and asks for a new code, or uses another channel.',
    seen: ['job', 'attempt'],
  },
  'number-unknown': {
    meaning: 'The operator knows no such number.',
    retry: 'after-change',
    nextStep: 'Ask the person for their number again.',
    seen: ['job', 'attempt'],
  },
  'region-not-enabled': {
    meaning: "The provider's account may not send to this country.",
    retry: 'after-change',
    nextStep: "Staff enable the country in the provider's console (Twilio: Messaging, Geo permissions).",
    seen: ['job', 'attempt'],
  },
  unsubscribed: {
    meaning: 'The person answered STOP to messages of this sender.',
    retry: 'after-change',
    nextStep: 'The person sends START to the sender, or uses another channel.',
    seen: ['job', 'attempt'],
  },
  'not-a-mobile': {
    meaning: 'The number cannot receive SMS.',
    retry: 'after-change',
    nextStep: 'Ask for a mobile number, or use another channel.',
    seen: ['job', 'attempt'],
  },
  landline: {
    meaning: 'The number is a landline or its operator does not take SMS.',
    retry: 'after-change',
    nextStep: 'Ask for a mobile number, or use another channel.',
    seen: ['job', 'attempt'],
  },
  filtered: {
    meaning: "An operator's spam filter stopped the message.",
    retry: 'after-change',
    nextStep: "Check the template's words and links, and whether the sender is registered with the operator.",
    setting: 'templates',
    seen: ['job', 'attempt'],
  },
  'not-on-telegram': {
    meaning: 'Telegram Gateway cannot reach this number: it has no Telegram account, or refuses codes.',
    retry: 'no',
    nextStep: 'Name sms after telegram-gateway in the channels, so that the code goes on by SMS.',
    setting: 'channels',
    seen: ['job', 'attempt'],
  },
  'balance-empty': {
    meaning: "The installation's balance at the provider is used up.",
    retry: 'after-change',
    nextStep: "Staff top up the provider's account, then retry from /ops/failures.",
    seen: ['job', 'attempt'],
  },
  'provider-refused': {
    meaning: 'The provider refused the message for a reason that Navbat does not know.',
    retry: 'no',
    nextStep: "Look at the provider's own log by the reference of the attempt.",
    seen: ['job', 'attempt'],
  },
  'endpoint-gone': {
    meaning: 'The endpoint answered 410 Gone and was disabled.',
    retry: 'after-change',
    nextStep: 'Enable the endpoint again (PATCH /webhooks/{id}), then replay the events that it missed.',
    seen: ['job', 'attempt'],
  },
} as const satisfies Record<ProviderRefusal, Reason>;

const RETRIES_GO_ON = 'Nothing yet: the job is tried again by itself.';

/** What may succeed later. */
const faults = {
  network: {
    meaning: 'No connection could be made.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} If it goes on, check address, firewall and DNS.`,
    seen: ['job', 'attempt'],
  },
  'provider-unavailable': {
    meaning: 'The provider is down, or failed so often that Navbat calls it rarely until it recovers.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} Staff look at the provider's status page.`,
    seen: ['job', 'attempt'],
  },
  'provider-internal': {
    meaning: 'The provider answered with an error of its own.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} Staff look at the provider's status page.`,
    seen: ['job', 'attempt'],
  },
  'http-3xx': {
    meaning: 'The endpoint answered with a redirect, which is not followed.',
    retry: 'after-change',
    nextStep: 'Set the final address as url of the endpoint (PATCH /webhooks/{id}).',
    seen: ['job', 'attempt'],
  },
  'http-4xx': {
    meaning: 'The endpoint refused the call with a 4xx status.',
    retry: 'after-change',
    nextStep: 'Correct the receiver: it must answer 2xx. GET /webhooks/deliveries shows what it answered.',
    seen: ['job', 'attempt'],
  },
  'http-5xx': {
    meaning: 'The endpoint failed with a 5xx status.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} GET /webhooks/deliveries shows what the receiver answered.`,
    seen: ['job', 'attempt'],
  },
  tls: {
    meaning: "The endpoint's TLS certificate is not valid for its name, has expired, or is not trusted.",
    retry: 'after-change',
    nextStep: 'Install a valid certificate with its full chain.',
    seen: ['job', 'attempt'],
  },
  'name-unresolved': {
    meaning: "The endpoint's host name has no address.",
    retry: 'after-change',
    nextStep: "Check the host name in the endpoint's url and its DNS records.",
    seen: ['job', 'attempt'],
  },
  'address-forbidden': {
    meaning: "The endpoint's name leads to a private or reserved address, which is never called.",
    retry: 'after-change',
    nextStep: 'Use a public address.',
    seen: ['job', 'attempt'],
  },
} as const satisfies Record<ProviderFault, Reason>;

/** What may have happened or not. */
const unknowns = {
  timeout: {
    meaning: 'No answer came in time. The message may have arrived.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} A receiver of webhooks answers first and works later.`,
    seen: ['job', 'attempt'],
  },
  'connection-lost': {
    meaning: 'The connection broke before the answer came. The message may have arrived.',
    retry: 'later',
    nextStep: RETRIES_GO_ON,
    seen: ['job', 'attempt'],
  },
  'answer-unreadable': {
    meaning: 'The answer could not be read. The message may have arrived.',
    retry: 'later',
    nextStep: RETRIES_GO_ON,
    seen: ['job', 'attempt'],
  },
} as const satisfies Record<UnknownReason, Reason>;

export const jobReasons = { ...engine, ...refusals, ...faults, ...unknowns } as const;
