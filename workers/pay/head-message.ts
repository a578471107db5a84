import type { SendReply } from '../../domain/job/reply.ts';
import type { OutgoingHead } from '../../domain/pay/ledger/chain.ts';
import type { TelegramSender } from '../../domain/telegram/port.ts';

/** As long as a message of the bot may take. */
const SEND_MS_MAX = 10_000;

/** Posts a head into the chat of the finance staff: one line in words, and the signed line to keep. */
export function headToChat(bot: TelegramSender, chatId: string): (head: OutgoingHead) => Promise<void> {
  const say = toChat(bot, chatId);
  return ({ day, nTo, jws }) =>
    say(
      `Ledger of ${day}: closed with transfer ${nTo}. Keep the next line: it proves what the ledger was.\n${jws}`,
    );
}

/** Throws where the chat of the finance staff did not take it. */
export function toChat(bot: TelegramSender, chatId: string): (text: string) => Promise<void> {
  return async (text) => {
    const message = { chatId, text, format: 'plain', silent: true, urgent: false } as const;
    const reply = await bot.send(message, AbortSignal.timeout(SEND_MS_MAX));
    if (reply.kind !== 'accepted') throw new Error(`LEDGER_CHAT_ID was not reached: ${inWords(reply)}`);
  };
}

function inWords(reply: Exclude<SendReply, { kind: 'accepted' }>): string {
  return reply.kind === 'busy' ? reply.because : reply.reason;
}
