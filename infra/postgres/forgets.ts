import { forgetEarner } from './earn/forget.ts';
import type { Forget } from './engine/forget.ts';
import { forgetSupport } from './earn/support/forget.ts';
import { forgetEarnerName } from './earn/people/forget.ts';
import { forgetVerifications } from './verify/forget.ts';

/** What products forget with a recipient: one line each. */
export const forgets: readonly Forget[] = [
  // Of verifications.
  forgetVerifications,
  // Of people who share their traffic.
  forgetEarner,
  // What was asked of support.
  forgetSupport,
  // What they called themselves.
  forgetEarnerName,
];
