import type { Reason } from '../shared/reason.ts';
import type { DisabledReason } from './endpoint.ts';
import type { EngineReason } from '../job/reasons.ts';
import type { CallFault } from './call-fault.ts';
import { ENDPOINTS_MAX } from './endpoint.ts';

const REPLAY = 'then replay what it missed (POST /webhooks/replay)';

const disabled = {
  owner: {
    meaning: 'The project disabled the endpoint.',
    retry: 'after-change',
    nextStep: `Enable it (PATCH /webhooks/endpoints/{id}), ${REPLAY}.`,
    seen: ['endpoint'],
  },
  gone: {
    meaning: 'The endpoint answered 410 Gone, so it gets no more calls.',
    retry: 'after-change',
    nextStep: `Correct the receiver, enable the endpoint (PATCH /webhooks/endpoints/{id}), ${REPLAY}.`,
    seen: ['endpoint'],
  },
  failing: {
    meaning: 'No call succeeded for five days.',
    retry: 'after-change',
    nextStep: `Correct the receiver (GET /webhooks/deliveries shows its answers), enable the endpoint, ${REPLAY}.`,
    seen: ['endpoint'],
  },
} as const satisfies Record<DisabledReason, Reason>;

const RETRIES_GO_ON = 'Nothing while the job is unfinished: it is retried automatically.';

/** What an endpoint's answer means; any provider's are in `domain/job/reasons.ts`. */
const answers = {
  'endpoint-gone': {
    meaning: 'The endpoint answered 410 Gone and was disabled.',
    retry: 'after-change',
    nextStep:
      'Enable the endpoint again (PATCH /webhooks/endpoints/{id}), then replay the events that it missed.',
    seen: ['job', 'attempt'],
  },
  'http-3xx': {
    meaning: 'The endpoint answered with a redirect, which is not followed.',
    retry: 'after-change',
    nextStep:
      'Set the address that the redirect names as the url of the endpoint (PATCH /webhooks/endpoints/{id}).',
    seen: ['job', 'attempt'],
  },
  'http-4xx': {
    meaning: 'The endpoint refused the call with a 4xx status.',
    retry: 'after-change',
    nextStep: 'Correct the receiver: it must answer 2xx. GET /webhooks/deliveries shows what it answered.',
    seen: ['job', 'attempt'],
  },
  'http-5xx': {
    meaning: 'The endpoint answered with a 5xx status.',
    retry: 'later',
    nextStep: `${RETRIES_GO_ON} GET /webhooks/deliveries shows what the receiver answered.`,
    seen: ['job', 'attempt'],
  },
} as const satisfies Record<string, Reason>;

export type AnswerReason = keyof typeof answers;

/** Why a call got no answer; any provider's are in `domain/job/reasons.ts`. */
const callFaults = {
  tls: {
    meaning: "The endpoint's TLS certificate is not valid for its name, has expired, or is not trusted.",
    retry: 'after-change',
    nextStep: 'Install a valid certificate with its full chain.',
    seen: ['job', 'attempt'],
  },
  'name-unresolved': {
    meaning: "The endpoint's host name cannot be resolved to an address.",
    retry: 'after-change',
    nextStep: "Check the host name in the endpoint's url and its DNS records.",
    seen: ['job', 'attempt'],
  },
  'address-forbidden': {
    meaning: "The endpoint's host name resolves to a private or reserved address, which Navbat never calls.",
    retry: 'after-change',
    nextStep: 'Use a public address.',
    seen: ['job', 'attempt'],
  },
  'not-connected': {
    meaning: 'Navbat could not connect to the endpoint.',
    retry: 'later',
    nextStep: "Check that the receiver runs, and that its firewall lets Navbat's addresses in.",
    seen: ['delivery'],
  },
  interrupted: {
    meaning: 'The worker was stopped during the call; the call may have arrived.',
    retry: 'later',
    nextStep: 'Nothing: another worker calls again.',
    seen: ['delivery'],
  },
} as const satisfies Record<Exclude<CallFault, EngineReason>, Reason>;

export const webhookReasons = {
  ...disabled,
  ...answers,
  ...callFaults,
  'endpoint-deleted': {
    meaning: 'The endpoint was deleted before the event was delivered.',
    retry: 'no',
    nextStep: 'Nothing. If you still need the event, create an endpoint and replay it.',
    seen: ['job'],
  },
  'endpoint-disabled': {
    meaning: 'The endpoint is disabled and is not called.',
    retry: 'after-change',
    nextStep: `Enable it (PATCH /webhooks/endpoints/{id}), ${REPLAY}.`,
    seen: ['job', 'problem'],
  },
  'secret-unreadable': {
    meaning: "The endpoint's signing secret cannot be decrypted with the keys of this installation.",
    retry: 'after-change',
    nextStep: 'Staff add the key that encrypted the secret to ENCRYPTION_KEYS. Or make a new secret.',
    setting: 'ENCRYPTION_KEYS',
    seen: ['job'],
  },
  'too-many-endpoints': {
    meaning: `The project has ${ENDPOINTS_MAX} endpoints, the maximum.`,
    retry: 'after-change',
    nextStep: 'Delete one first (DELETE /webhooks/endpoints/{id}).',
    seen: ['problem'],
  },
  'too-many-calls': {
    meaning: 'The replay needs more calls than one request is allowed to make.',
    retry: 'after-change',
    nextStep: 'Choose a shorter range, fewer event types or one endpoint.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;
