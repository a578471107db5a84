import { channelRules } from '../../../domain/verify/channel.ts';
import type { SendOrder } from '../../../domain/verify/intake.ts';

/** A paid message may go to its number. */
export const mayBePaid = ({ command }: SendOrder): boolean =>
  command.mode === 'live' && command.channels.some((channel) => channelRules[channel].paid);
