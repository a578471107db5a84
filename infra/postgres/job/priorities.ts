import { priorities } from '../../../domain/job/priority.ts';

/** For a look at each priority by itself: its index gives the oldest of one, and sorts over none. */
export const eachPriority = `generate_series(0, ${priorities.length - 1}) p (priority)`;
