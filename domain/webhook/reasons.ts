import type { Reason } from '../shared/reason.ts';
import type { DisabledReason } from './endpoint.ts';
import type { jobReasons } from '../job/reasons.ts';
import { ENDPOINTS_MAX } from './endpoint.ts';
import type { CallFault } from './classify-response.ts';

const REPLAY = 'then replay what it missed (POST /webhooks/replay)';

const disabled = {
  owner: {
    meaning: 'The project disabled the endpoint.',
    retry: 'after-change',
    nextStep: `Enable it (PATCH /webhooks/{id}), ${REPLAY}.`,
    seen: ['endpoint'],
  },
  gone: {
    meaning: 'The endpoint answered 410 Gone, which says that it wants no more calls.',
    retry: 'after-change',
    nextStep: `Correct the receiver, enable the endpoint (PATCH /webhooks/{id}), ${REPLAY}.`,
    seen: ['endpoint'],
  },
  failing: {
    meaning: 'No call succeeded for five days.',
    retry: 'after-change',
    nextStep: `Correct the receiver (GET /webhooks/deliveries shows its answers), enable the endpoint, ${REPLAY}.`,
    seen: ['endpoint'],
  },
} as const satisfies Record<DisabledReason, Reason>;

/** Why a call got no answer; the others are any provider's (`domain/job/reasons.ts`). */
const callFaults = {
  'not-connected': {
    meaning: 'No connection to the endpoint could be made.',
    retry: 'later',
    nextStep: "Check that the receiver runs, and that its firewall lets Navbat's addresses in.",
    seen: ['delivery'],
  },
  interrupted: {
    meaning: 'The worker was stopped during the call; it may have arrived.',
    retry: 'later',
    nextStep: 'Nothing: another worker calls again.',
    seen: ['delivery'],
  },
} as const satisfies Record<Exclude<CallFault, keyof typeof jobReasons>, Reason>;

export const webhookReasons = {
  ...disabled,
  ...callFaults,
  'endpoint-deleted': {
    meaning: 'The endpoint was deleted before the event was delivered.',
    retry: 'no',
    nextStep: 'Nothing. Create an endpoint and replay the event if it is still wanted.',
    seen: ['job'],
  },
  'endpoint-disabled': {
    meaning: 'The endpoint is disabled, so that it is not called.',
    retry: 'after-change',
    nextStep: `Enable it (PATCH /webhooks/{id}), ${REPLAY}.`,
    seen: ['job', 'problem'],
  },
  'secret-unreadable': {
    meaning: "The endpoint's signing secret cannot be decrypted with the keys of this installation.",
    retry: 'after-change',
    nextStep: 'Staff check MASTER_KEYS: the key that encrypted the secret is missing. Or make a new secret.',
    setting: 'MASTER_KEYS',
    seen: ['job'],
  },
  'too-many-endpoints': {
    meaning: `The project has ${ENDPOINTS_MAX} endpoints, the most there may be.`,
    retry: 'after-change',
    nextStep: 'Delete one first (DELETE /webhooks/{id}).',
    seen: ['problem'],
  },
  'too-many-calls': {
    meaning: 'The replay would make more calls than one request may.',
    retry: 'after-change',
    nextStep: 'Choose a shorter range, fewer event types or one endpoint.',
    seen: ['problem'],
  },
} as const satisfies Record<string, Reason>;
