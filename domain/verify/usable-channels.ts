import type { PhoneFacts } from '../shared/phone.ts';
import { type Channel, channelRules, SILENT_CHANNEL } from './channel.ts';
import { blockOf } from './fraud.ts';
import { chainMicros, channelMicros, dayBudgetOf, isBudgetSpent, isNumberCapped } from './paid-limits.ts';
import { isForMoney, isTrusted, type SendCommand } from './send-command.ts';
import type { SendFacts } from './send-facts.ts';
import { inGoodStanding } from './strangers.ts';

/** What a locked destination still takes: nothing that is typed there counts, but its owner may approve on their device. */
const openWhileLocked: ReadonlySet<Channel> = new Set(['push', SILENT_CHANNEL]);

/** The asked channels that can reach this recipient; where none can, the reason that weighs most. */
export function usableChannels(command: SendCommand, facts: SendFacts, now: Date) {
  const asked = facts.locked
    ? command.channels.filter((channel) => openWhileLocked.has(channel))
    : command.channels;
  if (command.mode === 'test') return { channels: asked, reason: 'no-channel' as const };
  const channels: Channel[] = [];
  const obstacles = asked.map((channel) => {
    const found = obstacle(channel, command, facts, chainMicros(channels, facts.reach.smsMicros), now);
    if (found === null) channels.push(channel);
    return found;
  });
  const reason = obstacles.find((found) => found !== null && found !== 'no-channel');
  return { channels, reason: reason ?? ('no-channel' as const) };
}

/** `earlierMicros` is what the channels before it in the chain may take. */
function obstacle(
  channel: Channel,
  command: SendCommand,
  facts: SendFacts,
  earlierMicros: number,
  now: Date,
) {
  if (channel === SILENT_CHANNEL) return isForMoney(command) ? ('totp-for-money' as const) : null;
  if (!facts.reach.providers.has(channel)) return 'no-channel' as const;
  // Where it was named it is taken as reachable, or the answer would tell who has Navbat's app.
  if (channel === 'push')
    return facts.reach.push || !command.channelsByDefault ? null : ('no-channel' as const);
  if (channel === 'telegram') return facts.reach.telegram ? null : ('no-channel' as const);
  if (!command.phone) return 'no-channel' as const;
  // The Gateway words its message itself, and would show neither amount nor payee.
  if (channel === 'telegram-gateway' && isForMoney(command)) return 'no-channel' as const;
  if (!channelRules[channel].paid) return null;
  const { phone, client } = command;
  return paidObstacle(channel, { phone, client }, facts, earlierMicros, now);
}

function paidObstacle(
  channel: Channel,
  { phone, client }: Pick<SendCommand, 'client'> & { readonly phone: PhoneFacts },
  facts: SendFacts,
  earlierMicros: number,
  now: Date,
) {
  if (phone.country === null || !facts.settings.sms_countries.includes(phone.country))
    return 'country-not-allowed' as const;
  const micros = earlierMicros + channelMicros(channel, facts.reach.smsMicros);
  if (isBudgetSpent(facts.spend, dayBudgetOf(facts.settings), facts.askedBy, micros))
    return 'budget-spent' as const;
  if (isNumberCapped(facts.paid, facts, inGoodStanding(facts.stranger?.address ?? null)))
    return 'number-capped' as const;
  if (channel === 'sms' && (phone.isPremiumRate || facts.reach.smsMicros === null))
    return 'no-channel' as const;
  return blockOf(facts.risk, isTrusted(client), now)?.reason ?? null;
}
