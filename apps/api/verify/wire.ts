import type { Recipients } from '../../../domain/identity/recipient/port.ts';
import { RecipientId } from '../../../domain/identity/recipient/recipient.ts';
import type { JobId } from '../../../domain/shared/ids.ts';
import { moneyApprovals } from '../../../domain/verify/money-approvals.ts';
import { phoneCodes } from '../../../domain/verify/phone-codes.ts';
import { accessTokens } from '../../../infra/identity/access-tokens.ts';
import { approvalSignatureHolds } from '../../../infra/identity/device/approval-signature.ts';
import { phoneUsers } from '../../../infra/postgres/identity/person/phone-users.ts';
import { recipientStore } from '../../../infra/postgres/identity/recipient/recipients.ts';
import { boundedOtpIntake } from '../../../infra/postgres/verify/bounded-intake.ts';
import { challenges } from '../../../infra/postgres/verify/challenges.ts';
import { codeProofs } from '../../../infra/postgres/verify/code-proofs.ts';
import { deliveries } from '../../../infra/postgres/verify/deliveries.ts';
import { destinations } from '../../../infra/postgres/verify/destinations.ts';
import { enrolmentPayers } from '../../../infra/postgres/verify/enrolment-payers.ts';
import { liveStates } from '../../../infra/postgres/verify/live-states.ts';
import { textModeration } from '../../../infra/postgres/verify/text-moderation.ts';
import { verifications } from '../../../infra/postgres/verify/verifications.ts';
import { projectCache } from '../../../infra/postgres/project/cache.ts';
import { projectStore } from '../../../infra/postgres/project/projects.ts';
import type { ApiPlatform } from '../../../infra/process/api-platform.ts';
import { worldClock } from '../../../infra/process/clock.ts';
import { reportsUnknown } from '../../../infra/process/metrics.ts';
import {
  callbackReadersFromConfig,
  listedReadersFromConfig,
  moderatedProviders,
} from '../../../infra/providers/verify/channels.ts';
import { smsRoutingOf } from '../../../infra/providers/verify/sms-routing.ts';
import { wakeEntry } from '../../../infra/queue/entries.ts';
import { openCodes } from '../../../infra/verify/open-codes.ts';
import { proofTokens } from '../../../infra/process/proof-token.ts';
import { urlFault } from '../../../infra/webhook/url-fault.ts';
import type { Route } from '../../http/route.ts';
import { signInStores } from '../identity/wire.ts';
import type { IdentityCodes, Wired } from '../wire.ts';
import { type CallbackDeps, callbackRouter } from './callbacks.routes.ts';
import { listedReportRouter } from './listed-reports.routes.ts';
import { subscribers } from './event-stream-subscribers.ts';
import { type OtpEventDeps, otpEventRoutes } from './otp-events.routes.ts';
import { checkProblem, refusalProblem } from './otp-problems.ts';
import { otpRoutes } from './otp.routes.ts';
import { type PhoneOtpDeps, phoneOtpRoutes } from './phone-otp.routes.ts';
import { type SignInRouteDeps, signInRoutes } from './sign-in.routes.ts';
import { type TemplateDeps, templateRoutes } from './templates.routes.ts';

export interface VerifyDeps {
  readonly otp: PhoneOtpDeps;
  readonly signIn: SignInRouteDeps;
  readonly events: OtpEventDeps;
  readonly templates: TemplateDeps;
}

export const verifyRoutes = ({ otp, signIn, events, templates }: VerifyDeps): Route[] => [
  ...otpRoutes(otp),
  ...otpEventRoutes(events),
  ...phoneOtpRoutes(otp),
  ...signInRoutes(signIn),
  ...templateRoutes(templates),
];

/** One-time codes: sends, checks, what providers report, and who waits for a verification to change. */
export async function wireVerify(platform: ApiPlatform): Promise<Wired> {
  const { config, orm, pools, clock, hash, encryption, rows } = platform;
  const { intake, numberOf, close, ...codes } = openCodes(platform);
  const otp: PhoneOtpDeps = {
    ...codes,
    intake: boundedOtpIntake(intake, rows),
    verifications: verifications(pools.hot, clock),
    checkTokens: proofTokens(hash, 'check-token'),
    users: phoneUsers(pools.hot),
    tokens: await accessTokens(config.JWT_PRIVATE_JWK),
    urlFault: urlFault({ allowPrivate: config.WEBHOOK_ALLOW_PRIVATE }),
    phoneOf: phoneOfRecipient(recipientStore(orm.em, { keyedHash: hash, encryption })),
  };
  const reports = reportsTo(platform);
  const events = wireEvents(platform);
  const signIn = {
    ...(await signInStores(platform)),
    otp,
    proofs: codeProofs(pools.read, hash),
    now: clock,
  };
  const templates = {
    projects: projectStore(orm.em, hash),
    sms: smsRoutingOf(config),
    moderation: textModeration(pools.read, clock),
    moderated: moderatedProviders(config),
  };
  return {
    routes: verifyRoutes({ otp, signIn, events, templates }),
    routers: [await wireCallbacks(platform, reports), await wireListedReports(platform, reports)],
    offers: { codes: codesOf(platform, otp, { numberOf, ...reports }) },
    endStreams: () => events.subscribers.close(),
    close,
  };
}

/** What identity has proven by codes and approvals. */
const codesOf = (
  { pools, hash, clock }: ApiPlatform,
  otp: PhoneOtpDeps,
  approvals: Reports & Pick<ReturnType<typeof openCodes>, 'numberOf'>,
): IdentityCodes => ({
  phone: phoneCodes(otp),
  checkTokens: otp.checkTokens,
  problems: {
    notSent: ({ reason, retryAfterSeconds, facts }) =>
      refusalProblem(reason, retryAfterSeconds, clock(), {}, facts),
    notRight: checkProblem,
  },
  payers: enrolmentPayers(pools.read),
  moneyApprovals: moneyApprovals({ ...otp, project: projectCache(pools.read) }),
  destinations: destinations(pools.read),
  challenges: challenges({
    pool: pools.hot,
    hash,
    signatureHolds: approvalSignatureHolds,
    ...approvals,
  }),
});

/** Who waits for a verification to change. */
function wireEvents({ pools, log, clock: now }: ApiPlatform): OtpEventDeps {
  const states = liveStates(pools.read);
  const onError = (err: unknown) => log.warn({ err }, 'states were not read; the next look tries again');
  return { states, subscribers: subscribers({ states, now, onError }), now };
}

function phoneOfRecipient(recipients: Recipients): PhoneOtpDeps['phoneOf'] {
  return async (projectId, id) => {
    const recipient = await recipients.find(projectId, RecipientId.parse(id));
    return recipient ? recipient.phone : undefined;
  };
}

type Reports = Pick<CallbackDeps, 'deliveries' | 'wake'>;

/** What is heard of a message later is recorded, and wakes the job that waits for it. */
function reportsTo({ pools, clock, queues, log }: ApiPlatform): Reports {
  return {
    deliveries: deliveries(pools.hot, clock),
    wake: (jobId: JobId) =>
      void wakeEntry(queues, 'otp-send', jobId).catch((err: unknown) =>
        log.warn({ err }, 'a queue entry was not woken'),
      ),
  };
}

/** What providers call. */
async function wireCallbacks({ config, counter }: ApiPlatform, reports: Reports) {
  return callbackRouter({
    readers: await callbackReadersFromConfig(config),
    ...reports,
    counter,
    now: worldClock,
    publicUrl: config.PUBLIC_URL,
    proxies: config.TRUST_PROXY,
  });
}

/** What a provider reports of many messages at one address. */
const wireListedReports = async ({ config, counter, log }: ApiPlatform, reports: Reports) =>
  listedReportRouter({
    listed: await listedReadersFromConfig(config),
    ...reports,
    onUnused: (provider, { unknown, unreadable }) => {
      reportsUnknown.inc({ provider, because: 'unknown-message' }, unknown);
      reportsUnknown.inc({ provider, because: 'unreadable' }, unreadable);
      if (unreadable > 0) log.warn({ provider, unreadable }, 'delivery reports were not readable');
    },
    counter,
    now: worldClock,
    proxies: config.TRUST_PROXY,
  });
