import { approvalReasons } from './identity/approval/reasons.ts';
import { broadcastReasons } from './message/broadcast/reasons.ts';
import { earnReasons } from './earn/reasons.ts';
import { deviceReasons } from './identity/device/reasons.ts';
import { httpReasons } from './shared/http-reasons.ts';
import { identityReasons } from './identity/reasons.ts';
import { jobReasons } from './job/reasons.ts';
import { otpReasons } from './verify/reasons.ts';
import { payReasons } from './pay/reasons.ts';
import { projectReasons } from './project/reasons.ts';
import type { CodesSeenIn, Reason, ReasonFacts, RetryHelp } from './shared/reason.ts';
import { pushReasons } from './push/reasons.ts';
import { recipientReasons } from './identity/recipient/reasons.ts';
import { registrationReasons } from './identity/registration/reasons.ts';
import { staffReasons } from './staff/reasons.ts';
import { telegramReasons } from './telegram/reasons.ts';
import { webhookReasons } from './webhook/reasons.ts';

/** The reasons of each context: one line a context. A code stands in one of them only. */
export const reasonsByContext = {
  'Any request': httpReasons,
  'Jobs and providers': jobReasons,
  'One-time codes': otpReasons,
  'Sign-in': identityReasons,
  Approvals: approvalReasons,
  Devices: deviceReasons,
  Registration: registrationReasons,
  Recipients: recipientReasons,
  Messages: broadcastReasons,
  Pushes: pushReasons,
  Telegram: telegramReasons,
  Webhooks: webhookReasons,
  Money: payReasons,
  Traffic: earnReasons,
  Projects: projectReasons,
  'The board': staffReasons,
} as const;

/** The catalogue: every refusal, failure, job reason and problem type with its meaning and the next step. */
export const reasons = {
  ...httpReasons,
  ...jobReasons,
  ...otpReasons,
  ...identityReasons,
  ...approvalReasons,
  ...deviceReasons,
  ...registrationReasons,
  ...recipientReasons,
  ...broadcastReasons,
  ...pushReasons,
  ...telegramReasons,
  ...webhookReasons,
  ...payReasons,
  ...earnReasons,
  ...projectReasons,
  ...staffReasons,
} as const;

type Reasons = typeof reasons;
export type ReasonCode = keyof Reasons;

/** The type of a problem answer. */
export type ProblemType = CodesSeenIn<Reasons, 'problem'>;
/** Why a job, or one attempt of it, ended as it did. */
export type JobReason = CodesSeenIn<Reasons, 'job' | 'attempt'>;
/** What a provider's answer may be called. */
export type AttemptReason = CodesSeenIn<Reasons, 'attempt'>;
/** Why nothing is sent to a chat. */
export type ChatReason = CodesSeenIn<Reasons, 'chat'>;

/** Where the meaning of a code can be read, on the API and on the board. */
const docsPathOf = (code: ReasonCode): string => `/docs/problems#${code}`;

export interface ExplainedReason {
  readonly meaning: string;
  readonly retry: RetryHelp;
  readonly nextStep: string;
  readonly setting: string | null;
  readonly docs: string;
}

/** As `explainReason`, of a code that was stored or came from elsewhere; null where it is none of this version's. */
export const explainStored = (code: string | null, facts: ReasonFacts = {}): ExplainedReason | null =>
  code !== null && isReason(code) ? explainReason(code, facts) : null;

/** What is known of a job that ended for this reason. */
export function endFacts(reason: string | null, finishedAt: Date | null): ReasonFacts {
  if (!finishedAt || reason === null || !isReason(reason)) return {};
  const { holdsUntil }: Reason = reasons[reason];
  return holdsUntil ? { until: holdsUntil(finishedAt) } : {};
}

/** What a code means, with what is known of the case. */
export function explainReason(code: ReasonCode, facts: ReasonFacts = {}): ExplainedReason {
  const { meaning, retry, nextStep, setting, detail }: Reason = reasons[code];
  return {
    meaning: detail?.(facts) ?? meaning,
    retry,
    nextStep,
    setting: facts.setting ?? setting ?? null,
    docs: docsPathOf(code),
  };
}

export const isReason = (code: string): code is ReasonCode => Object.hasOwn(reasons, code);

/** Reasons for which another try ends the same until something is changed, or for ever. */
export const permanentReasons: readonly string[] = Object.entries(reasons as Readonly<Record<string, Reason>>)
  .filter(([, { retry, seen }]) => retry !== 'later' && seen.includes('job'))
  .map(([code]) => code);
