import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { isReservedKey, PAYLOAD_BYTES_MAX, payloadBytes } from '../../domain/push/payload.ts';
import { FCM_ERRORS, type FcmErrorCode } from './fcm-errors.ts';
import { type Answer, type Incoming, json, type Reply } from './http.ts';
import { type FaultOutcome, type Dialect, underFault } from './under-fault.ts';
import type { World } from './world.ts';
import { parseJson } from '../../domain/shared/json.ts';

export const FCM_PATH = '/v1/projects/';
const MICROS_PER_MS = 1000;
const FCM_ERROR_TYPE = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const BAD_REQUEST_TYPE = 'type.googleapis.com/google.rpc.BadRequest';
const REST_PATH = /^\/v1\/projects\/([a-z0-9-]+)\/messages:send$/;

const Target = z.string().min(1).max(4096).regex(/^\S+$/);
const SendRequest = z.object({
  validate_only: z.boolean().default(false),
  message: z.looseObject({
    token: Target.optional(),
    fid: Target.optional(),
    topic: Target.optional(),
    condition: z.string().min(1).optional(),
    notification: z.looseObject({ title: z.string().optional(), body: z.string().optional() }).optional(),
    data: z.record(z.string(), z.string()).optional(),
  }),
});
type PushMessage = z.infer<typeof SendRequest>['message'];

const dialect: Dialect = {
  rejected: (code) => failure(code in FCM_ERRORS ? (code as FcmErrorCode) : 'INVALID_ARGUMENT'),
  rateLimited: (seconds) => failure('QUOTA_EXCEEDED', { 'retry-after': String(seconds) }),
  failed: (status) => (status === 503 ? failure('UNAVAILABLE') : { ...failure('INTERNAL'), status }),
};

/** FCM HTTP v1's one method. */
export class Fcm {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async answer(incoming: Incoming): Promise<Reply> {
    const { trace } = incoming;
    trace.channel = 'push';
    const project = REST_PATH.exec(incoming.path)?.[1];
    if (project === undefined || incoming.method !== 'POST')
      return googleError(404, 'NOT_FOUND', 'Requested entity was not found.');
    trace.method = 'messages:send';
    if (!this.#authorized(incoming)) {
      return googleError(
        401,
        'UNAUTHENTICATED',
        'Request had invalid authentication credentials. Expected OAuth 2 access token.',
      );
    }
    const request = SendRequest.safeParse(parseJson(incoming.body.toString()));
    if (!request.success)
      return invalid(
        request.error.issues.map(({ path, message }) => ({ field: path.join('.'), description: message })),
      );
    const { message, validate_only } = request.data;
    const to = targetOf(message);
    if (to === undefined)
      return invalid([
        { field: 'message', description: 'Exactly one of token, fid, topic or condition is required.' },
      ]);
    trace.to = to;
    const fault = this.#world.faults.take({ channel: 'push', to, method: 'messages:send', sends: true });
    return underFault(fault, { dialect, timers: this.#world.timers, trace }, (faultOutcome) => {
      const problem = contentProblem(message);
      if (problem) return invalid([problem]);
      if (validate_only) return json(200, { name: `projects/${project}/messages/fake_message_id` });
      const accepted = this.#accept(message, { project, to, faultOutcome });
      trace.message_id = accepted.id;
      return json(200, { name: accepted.provider_reference });
    });
  }

  #accept(
    message: PushMessage,
    { project, to, faultOutcome }: { project: string; to: string; faultOutcome: FaultOutcome },
  ) {
    const { fid, notification, data } = message;
    return this.#world.inbox.add({
      channel: 'push',
      to,
      from: project,
      text: [notification?.title, notification?.body].filter(Boolean).join('\n'),
      provider_reference: `projects/${project}/messages/${this.#messageName()}`,
      // FCM tells nobody of the delivery: what it accepted, it calls sent.
      status: faultOutcome.fate === 'delivered' ? 'delivered' : 'sent',
      fate: faultOutcome.fate === 'delivered' ? 'delivered' : 'lost',
      details: {
        ...(fid && { fid }),
        ...(data && { data }),
        ...(notification && { notification }),
        ...platformsOf(message),
      },
    });
  }

  /** As FCM's own names look: `0:1700000000000000%0123456789abcdef`. */
  #messageName(): string {
    return `0:${this.#world.clock().getTime() * MICROS_PER_MS}%${randomBytes(16).toString('hex')}`;
  }

  #authorized({ headers }: Incoming): boolean {
    const token = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
    const expected = this.#world.credentials.fcmAccessToken;
    return token !== undefined && (expected === undefined || token === expected);
  }
}

function targetOf({ token, fid, topic, condition }: PushMessage): string | undefined {
  const targets = [token, fid, topic && `/topics/${topic}`, condition].filter(
    (target) => target !== undefined,
  );
  return targets.length === 1 ? targets[0] : undefined;
}

function contentProblem(message: PushMessage): { field: string; description: string } | undefined {
  const reserved = Object.keys(message.data ?? {}).find(isReservedKey);
  if (reserved !== undefined)
    return { field: `message.data[${reserved}]`, description: `Invalid data payload key: ${reserved}` };
  return payloadBytes(message) > PAYLOAD_BYTES_MAX
    ? { field: 'message', description: 'Android message is too big' }
    : undefined;
}

function platformsOf(message: PushMessage): Record<string, unknown> {
  const platforms = ['android', 'apns', 'webpush', 'fcm_options'].filter((name) => name in message);
  return Object.fromEntries(platforms.map((name) => [name, message[name]]));
}

function failure(code: FcmErrorCode, headers: Record<string, string> = {}): Answer {
  const { status, canonical, message } = FCM_ERRORS[code];
  return googleError(status, canonical, message, [{ '@type': FCM_ERROR_TYPE, errorCode: code }], headers);
}

function invalid(fieldViolations: { field: string; description: string }[]): Answer {
  const message = fieldViolations[0]?.description ?? FCM_ERRORS.INVALID_ARGUMENT.message;
  return googleError(400, 'INVALID_ARGUMENT', message, [
    { '@type': FCM_ERROR_TYPE, errorCode: 'INVALID_ARGUMENT' },
    { '@type': BAD_REQUEST_TYPE, fieldViolations },
  ]);
}

function googleError(
  status: number,
  canonical: string,
  message: string,
  details: object[] = [],
  headers: Record<string, string> = {},
): Answer {
  return json(
    status,
    { error: { code: status, message, status: canonical, ...(details.length > 0 ? { details } : {}) } },
    headers,
  );
}
