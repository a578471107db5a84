import type { DeviceId } from '../device/device.ts';
import type { PersonId } from '../person/person.ts';
import type { Refused } from '../../job/decision.ts';
import type { ProjectId, VerificationId } from '../../shared/ids.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
import type { Payment } from '../../shared/payment.ts';
import type { AnswerOutcome } from './answer.ts';
import type { Challenge, ChallengeAnswer, ChallengeId } from './challenge.ts';

/** Who answers, and with which device. */
export interface Answerer {
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
}

/** What a person is asked to approve on their devices. */
export interface Challenges {
  /** Those that wait for an answer; those of projects that the person knows come first. */
  list(personId: PersonId, order: PageOrder, now: Date): Promise<Page<Challenge>>;
  /**
   * One of the person's, whatever became of it; null where it is none of theirs. That they saw it confirms the push for a project
   * that they approved for before.
   */
  fetch(personId: PersonId, id: ChallengeId, now: Date): Promise<Challenge | null>;
  /** Takes the answer in one commit with all that follows from it. `unknown`: no challenge of theirs, or no device that may answer. */
  answer(
    who: Answerer,
    id: ChallengeId,
    answer: ChallengeAnswer,
    now: Date,
  ): Promise<AnswerOutcome | { readonly outcome: 'unknown' }>;
}

/** What a person is to approve of their money, in the name of the project in which they have it. */
export interface MoneyApprovalOrder {
  readonly projectId: ProjectId;
  /** The person, as the project knows them. */
  readonly recipientId: string;
  /** Asked again under the same key, it is the same challenge with the same number. */
  readonly key: string;
  readonly purpose: string;
  readonly payment: Payment;
  readonly metadata: Readonly<Record<string, string>>;
  /** From where the person asks, as their device shows it. */
  readonly client: { readonly ip: string; readonly user_agent?: string };
  readonly requestId: string;
}

/** Asks a person's devices whether their money may leave. */
export interface MoneyApprovals {
  /** `number` is for whoever asks to show; the person types it on the device. */
  ask(
    order: MoneyApprovalOrder,
  ): Promise<
    | { readonly ok: true; readonly verificationId: VerificationId; readonly number: string | null }
    | ({ readonly ok: false } & Refused)
  >;
}

/** What became of an approval, for whoever tells of it. */
export { type ChallengeState, ShownState, shownState } from './challenge.ts';
