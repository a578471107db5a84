import type { CodeFailure } from '../../../domain/identity/port.ts';
import type { Refused } from '../../../domain/job/decision.ts';
import type { Problem } from '../../http/problem.ts';

/** How a code that was not sent, or was not right, is answered: the words are those of the product that sends codes. */
export interface CodeProblems {
  readonly notSent: (refusal: Refused) => Problem;
  readonly notRight: (failure: CodeFailure) => Problem;
}
