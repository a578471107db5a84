import type { Payment } from '../../shared/payment.ts';
import type { KeptBlock } from '../../shared/reason.ts';
import { visibleLine } from '../../shared/visible-line.ts';
import type { ChallengeState } from './challenge.ts';
import type { Pushed } from './notice.ts';

/** All that is kept of a verification, for whoever must say afterwards what happened. No code, no number, no whole address. */
export interface Explanation {
  readonly id: string;
  /** Null once retention has taken it: what was signed is kept longer. */
  readonly verification: ExplainedVerification | null;
  readonly sends: readonly ExplainedSend[];
  readonly challenges: readonly ExplainedChallenge[];
  readonly approvals: readonly ExplainedApproval[];
  readonly events: readonly ExplainedEvent[];
}

export interface ExplainedVerification {
  readonly project: string;
  readonly purpose: string;
  readonly mode: string;
  readonly state: string;
  /** Masked; null for a recipient without a phone. */
  readonly to: string | null;
  readonly channels: readonly string[];
  readonly payment: Payment | null;
  readonly client: { readonly ip?: string; readonly user_agent?: string; readonly trusted?: boolean } | null;
  readonly checksUsed: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly closedAt: Date | null;
}

export interface ExplainedSend {
  readonly jobId: string;
  readonly requestId: string | null;
  readonly state: string;
  readonly reason: string | null;
  /** Where its risk kept a paid message of it back. */
  readonly block: (KeptBlock & { readonly at: Date; readonly reason: string }) | null;
  readonly acceptedAt: Date;
  readonly finishedAt: Date | null;
  readonly attempts: readonly ExplainedAttempt[];
}

export interface ExplainedAttempt {
  readonly n: number;
  readonly channel: string;
  readonly provider: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly delivery: string | null;
  /** The provider's own id of the message. */
  readonly reference: string | null;
  readonly parts: number | null;
  /** In 10^-6 of its currency's unit. */
  readonly priceMicros: string | null;
  readonly priceCurrency: string | null;
  readonly chosen: string | null;
  readonly openedAt: Date;
  readonly closedAt: Date | null;
  readonly deliveryAt: Date | null;
}

export interface ExplainedChallenge {
  readonly id: string;
  readonly jobId: string;
  readonly state: ChallengeState;
  /** There was somebody to ask. */
  readonly isSomebodys: boolean;
  readonly pushed: Pushed | null;
  readonly createdAt: Date;
  readonly fetchedAt: Date | null;
}

export interface ExplainedApproval {
  readonly challengeId: string;
  readonly deviceId: string;
  readonly result: string;
  /** The canonical JSON that was signed. */
  readonly statement: string;
  /** base64url. */
  readonly signature: string;
  readonly publicKey: unknown;
  /** Checked a moment ago, over the statement as it stands here. */
  readonly signatureHolds: boolean;
  readonly at: Date;
}

export interface ExplainedEvent {
  readonly id: string;
  readonly type: string;
  readonly happenedAt: Date;
  readonly deliveries: readonly ExplainedDelivery[];
}

export interface ExplainedDelivery {
  readonly url: string;
  readonly n: number;
  readonly outcome: string;
  readonly statusCode: number | null;
  readonly at: Date;
}

export interface Explanations {
  /** Null when nothing of that id was ever kept. */
  explain(id: string): Promise<Explanation | null>;
}

/** Something that happened, in words. */
export interface Moment {
  readonly at: Date;
  readonly what: string;
  readonly words: string;
}

/** Its moments in the order of time. */
export function momentsOf(explanation: Explanation): readonly Moment[] {
  const { verification, sends, challenges, approvals, events } = explanation;
  // What stands in one commit has one time: the answer comes first, then what followed from it.
  return [
    ...approvals.map(approvalMoment),
    ...(verification ? verificationMoments(verification) : []),
    ...sends.flatMap(sendMoments),
    ...challenges.flatMap(challengeMoments),
    ...events.flatMap(eventMoments),
  ].toSorted((a, b) => a.at.getTime() - b.at.getTime());
}

const because = (reason: string | null) => (reason === null ? '' : `, ${reason}`);

function verificationMoments({ state, closedAt, checksUsed }: ExplainedVerification): Moment[] {
  const checks = checksUsed === 0 ? '' : `, after ${checksUsed} checks`;
  return closedAt ? [{ at: closedAt, what: 'closed', words: state + checks }] : [];
}

function sendMoments({
  requestId,
  state,
  reason,
  block,
  acceptedAt,
  finishedAt,
  attempts,
}: ExplainedSend): Moment[] {
  const accepted = { at: acceptedAt, what: 'request', words: requestId ?? '-' };
  const finished = finishedAt ? [{ at: finishedAt, what: 'job', words: state + because(reason) }] : [];
  return [accepted, ...attempts.flatMap(attemptMoments), ...(block ? [blockMoment(block)] : []), ...finished];
}

function blockMoment({ at, reason, until, factors }: NonNullable<ExplainedSend['block']>): Moment {
  const counts = factors.map(
    ({ factor, sent, verified, risk }) => `${factor} ${sent} sent, ${verified} verified, risk ${risk}`,
  );
  return {
    at,
    what: 'block',
    words: `${reason} until ${new Date(until).toISOString()}: ${counts.join('; ')}`,
  };
}

function attemptMoments(attempt: ExplainedAttempt): Moment[] {
  const { n, channel, provider, outcome, reason, delivery, openedAt, closedAt, deliveryAt } = attempt;
  const what = `attempt ${n}`;
  const way = `${channel} by ${provider}`;
  const choice = attempt.chosen === null ? '' : `, ${attempt.chosen}`;
  const opened = { at: openedAt, what, words: `${way}: begun${choice}` };
  const words = `${way}: ${outcome}${because(reason)}${billed(attempt)}`;
  const closed = closedAt ? [{ at: closedAt, what, words }] : [];
  const delivered = deliveryAt ? [{ at: deliveryAt, what, words: `${way}: ${delivery}` }] : [];
  return [opened, ...closed, ...delivered];
}

const MICROS = 1_000_000;

/** `, 2 parts, 190 UZS, reference 4f1c`: what of it is known. */
function billed({ parts, priceMicros, priceCurrency, reference }: ExplainedAttempt): string {
  const facts = [
    parts === null ? null : `${parts} ${parts === 1 ? 'part' : 'parts'}`,
    priceMicros === null ? null : `${Number(priceMicros) / MICROS} ${priceCurrency}`,
    // A provider wrote it, and a terminal must not obey it.
    reference === null ? null : `reference ${visibleLine(reference)}`,
  ];
  return facts.flatMap((fact) => (fact === null ? [] : `, ${fact}`)).join('');
}

function challengeMoments({ id, isSomebodys, pushed, createdAt, fetchedAt }: ExplainedChallenge): Moment[] {
  const somebody = isSomebodys ? `push ${pushed ?? 'not sent'}` : 'nobody to ask';
  const asked = { at: createdAt, what: 'challenge', words: `${id}: ${somebody}` };
  return fetchedAt ? [asked, { at: fetchedAt, what: 'challenge', words: `${id}: seen in the app` }] : [asked];
}

function approvalMoment({ challengeId, deviceId, result, signatureHolds, at }: ExplainedApproval): Moment {
  const signature = signatureHolds ? 'the signature holds' : 'THE SIGNATURE DOES NOT HOLD';
  return { at, what: 'answer', words: `${challengeId}: ${result} on device ${deviceId}, ${signature}` };
}

function eventMoments({ type, happenedAt, deliveries }: ExplainedEvent): Moment[] {
  const calls = deliveries.map(({ url, n, outcome, statusCode, at }) => ({
    at,
    what: 'callback',
    words: `${type} to ${url}, try ${n}: ${outcome}${statusCode === null ? '' : `, ${statusCode}`}`,
  }));
  return [{ at: happenedAt, what: 'event', words: type }, ...calls];
}
