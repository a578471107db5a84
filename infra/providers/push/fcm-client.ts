import { randomUUID } from 'node:crypto';
import { Agent } from 'node:https';
import { connect } from 'node:net';
import { type AppOptions, cert, initializeApp } from 'firebase-admin/app';
import { getMessaging, type Message } from 'firebase-admin/messaging';
import { z } from 'zod';
import type { SendReply } from '../../../domain/job/reply.ts';
import { type Answered, replyToStatus } from '../classify-status.ts';
import { known } from '../known-word.ts';
import { oneRequestPerSend } from '../one-request.ts';
import { TakenReference } from '../reference.ts';
import { causesOf, faulted, refused, replyWithoutAnswer, unexpected, unknown } from '../replies.ts';
import type { AttemptReason } from '../../../domain/reasons.ts';

export const FCM_PROVIDER = 'fcm';
/** 60 s: Google's own advice for a 429 without Retry-After. */
const statusRules = { busyMs: 60_000, paid: false };
/** 30 s, as for the other providers; longer than an attempt may take, so that its own deadline speaks first. */
const SOCKET_IDLE_MS_MAX = 30_000;
const SANDBOX_TOKEN_SECONDS = 3_600;

export type FcmOptions =
  /** As Google's console gives it. */
  | { readonly serviceAccount: Readonly<Record<string, unknown>> }
  /** The sandbox, over plain HTTP, in place of fcm.googleapis.com. */
  | { readonly sandboxUrl: string };

export interface FcmClient {
  send(message: Message, signal: AbortSignal): Promise<SendReply>;
}

/**
 * Firebase Cloud Messaging, by Google's own package (contracts §4).
 *
 * @throws Error when the service account is not one.
 */
export function fcmClient(options: FcmOptions): FcmClient {
  const agent = new Agent({ keepAlive: true, timeout: SOCKET_IDLE_MS_MAX });
  const sendOnce = oneRequestPerSend(agent, statusRules);
  // The package keeps its apps by name for the whole process.
  const app = initializeApp({ ...appOptions(options, agent), httpAgent: agent }, `navbat-${randomUUID()}`);
  const messaging = getMessaging(app);

  return {
    send: (message, signal) =>
      sendOnce(async (answered) => {
        try {
          return accepted(await messaging.send(message));
        } catch (error) {
          return replyToError(error, answered(), signal);
        }
      }, signal),
  };
}

function appOptions(options: FcmOptions, agent: Agent): AppOptions {
  if ('serviceAccount' in options) return { credential: credentialOf(options.serviceAccount) };
  const { hostname: host, port } = new URL(options.sandboxUrl);
  // The package's host is a constant, so its agent leads elsewhere.
  agent.createConnection = () => connect({ host, port: Number(port) || 80 });
  const token = { access_token: 'sandbox', expires_in: SANDBOX_TOKEN_SECONDS };
  return { credential: { getAccessToken: () => Promise.resolve(token) }, projectId: 'sandbox' };
}

function credentialOf(serviceAccount: Readonly<Record<string, unknown>>) {
  try {
    return cert({ ...serviceAccount });
  } catch (error) {
    // Its message may quote the key.
    throw unexpected('fcm: service account', error);
  }
}

function accepted(name: unknown): SendReply {
  // FCM asks no money.
  const reference = TakenReference.safeParse(name);
  return reference.success
    ? { kind: 'accepted', reference: reference.data, cost: null }
    : unknown('answer-unreadable');
}

/** What firebase-admin's errors have in common. */
const FcmError = z.object({
  code: z.string(),
  httpResponse: z.object({ data: z.unknown() }).optional().catch(undefined),
});
type FcmError = z.infer<typeof FcmError>;

/** Where the body says nothing, or the package stumbles over it, the status decides. */
function replyToError(error: unknown, answered: Answered | null, signal: AbortSignal): SendReply {
  const parsed = FcmError.safeParse(error).data;
  const reply = parsed?.code.startsWith('app/')
    ? replyToAppError(parsed, error, answered, signal)
    : answered && replyToRefusal(parsed ?? { code: '' }, answered);
  if (!reply) throw unexpected(FCM_PROVIDER, error);
  return reply;
}

/** Codes of messages that no retry can deliver. An unregistered token is told apart below. */
const refusals: Readonly<Record<string, AttemptReason>> = {
  'messaging/invalid-registration-token': 'token-unregistered',
  'messaging/invalid-recipient': 'message-invalid',
  'messaging/invalid-argument': 'message-invalid',
  'messaging/invalid-payload': 'message-invalid',
  'messaging/invalid-data-payload-key': 'message-invalid',
  'messaging/invalid-options': 'message-invalid',
  'messaging/payload-size-limit-exceeded': 'message-invalid',
  'messaging/invalid-package-name': 'token-of-another-app',
  'messaging/third-party-auth-error': 'credentials',
  'messaging/authentication-error': 'credentials',
};

/** What an error answer of FCM means: by its own words where it is FCM's, which a front end's page is not. */
function replyToRefusal({ code, httpResponse }: FcmError, answered: Answered): SendReply {
  const google = GoogleError.safeParse(httpResponse?.data).data?.error;
  if (!google) return replyToStatus(answered, statusRules);
  const said = google.message;
  if (answered.status === 429 || answered.status >= 500) return replyToStatus(answered, statusRules, said);
  switch (code) {
    case 'messaging/registration-token-not-registered':
    case 'messaging/installation-id-not-registered':
      // The package says so of every 404, that of a wrong project too. Only FCM's own code condemns the token.
      return fcmCodeOf(httpResponse?.data) === 'UNREGISTERED'
        ? refused('token-unregistered', true, said)
        : refused('provider-refused', false, said);
    case 'messaging/mismatched-credential':
      // 403 is also said of our whole account, and one project's foreign tokens must not look like that.
      return fcmCodeOf(httpResponse?.data) === 'SENDER_ID_MISMATCH'
        ? refused('token-of-another-app', false, said)
        : refused('credentials', false, said);
    default: {
      const refusal = known(refusals, code);
      return refusal ? refused(refusal, false, said) : replyToStatus(answered, statusRules, said);
    }
  }
}

/** Errors of the package's own: no answer, none that is JSON, or no access token. */
function replyToAppError(
  { code }: FcmError,
  error: unknown,
  answered: Answered | null,
  signal: AbortSignal,
): SendReply | null {
  switch (code) {
    case 'app/network-timeout':
      return unknown('timeout');
    case 'app/invalid-credential':
      return replyWithoutToken(error, signal);
    default:
      return replyWithoutAnswer(error, signal) ?? (answered && replyToStatus(answered, statusRules));
  }
}

/** Google's token server was asked before anything was sent: whatever it was, the message has not left. */
function replyWithoutToken(error: unknown, signal: AbortSignal): SendReply {
  if (signal.aborted) return unknown('timeout');
  const isRefusal = [...causesOf(error)].some((cause) => TokenRefusal.safeParse(cause).success);
  return isRefusal ? refused('credentials') : faulted('network');
}
const TokenRefusal = z.object({ response: z.object({ status: z.int().min(400).max(499) }) });

/** The form of every error of Google's. */
const GoogleError = z.object({ error: z.object({ code: z.int(), message: z.string().catch('') }) });
const FcmDetails = z.object({
  error: z.object({ details: z.array(z.looseObject({ errorCode: z.string().optional() })) }),
});

/** FCM's own error code, beside Google's canonical status. */
function fcmCodeOf(data: unknown): string | undefined {
  const details = FcmDetails.safeParse(data).data?.error.details ?? [];
  return details.find((detail) => detail.errorCode !== undefined)?.errorCode;
}
