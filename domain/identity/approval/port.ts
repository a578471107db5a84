import type { DeviceId } from '../device/device.ts';
import type { PersonId } from '../person/person.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
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

/** What became of an approval, for whoever tells of it. */
export { type ChallengeState, ShownState, shownState } from './challenge.ts';
