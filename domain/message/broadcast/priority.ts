import type { Priority } from '../../job/priority.ts';

/** More than one recipient is a broadcast unless its project says otherwise: a single message is never behind it. */
export const priorityFor = (recipients: number): Priority => (recipients > 1 ? 'bulk' : 'normal');

/** 100: a team's or a class's message may go with single ones; what takes the bot longer than some seconds is bulk. */
export const NORMAL_RECIPIENTS_MAX = 100;
/** Two a second of the bot's thirty: a queue of which everything is urgent has nothing urgent. */
export const URGENT_PER_MINUTE_MAX = 120;

/** @returns what is wrong with the priority that was asked for, or null. */
export function priorityFault(priority: Priority, recipients: number): string | null {
  if (priority === 'urgent' && recipients > 1)
    return 'urgent is for a message to one recipient; expected normal or bulk';
  if (priority === 'normal' && recipients > NORMAL_RECIPIENTS_MAX)
    return `normal takes up to ${NORMAL_RECIPIENTS_MAX} recipients; expected bulk`;
  return null;
}
