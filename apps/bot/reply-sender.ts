import type { SendReply } from '../../domain/job/reply.ts';
import type { Chats } from '../../domain/telegram/chat.ts';
import type { TelegramMessage, TelegramSender } from '../../domain/telegram/port.ts';
import type { ReplySender, Saying } from './conversation.ts';

export interface ReplySenderDeps {
  readonly sender: TelegramSender;
  readonly chats: Pick<Chats, 'close'>;
  readonly answerButton: (queryId: string) => Promise<void>;
  readonly now: () => Date;
  /** Of a message that was not said; never with its text. */
  readonly onUnsaid: (reason: string) => void;
}

/** A chat that was written to a moment ago takes the next message within this. */
const SAY_TIMEOUT_MS = 8_000;
/** Longer is not waited for: other people's updates wait behind this one. */
const WAIT_MS_MAX = 3_000;

/** What the bot says by itself, in line with all that is sent for it; a person waits for it, so that it is urgent. */
export function botReplySender(deps: ReplySenderDeps): ReplySender {
  return {
    answerButton: deps.answerButton,
    say: async (chatId, saying) => {
      const message = messageOf(chatId, saying);
      const sentAt = deps.now();
      const reply = await say(deps.sender, message);
      const waits = reply.kind === 'busy' && reply.retryAfterMs <= WAIT_MS_MAX;
      if (waits) await new Promise((resolve) => setTimeout(resolve, reply.retryAfterMs));
      await settle(deps, chatId, sentAt, waits ? await say(deps.sender, message) : reply);
    },
  };
}

const say = (sender: TelegramSender, message: TelegramMessage): Promise<SendReply> =>
  sender.send(message, AbortSignal.timeout(SAY_TIMEOUT_MS));

function messageOf(chatId: number, { text, contactButton, buttons, links }: Saying): TelegramMessage {
  const rows = [
    ...(buttons ? [buttons.map(({ text: label, data }) => ({ text: label, callback_data: data }))] : []),
    ...(links ?? []).map((link) => [link]),
  ];
  return {
    chatId: String(chatId),
    text,
    format: 'plain',
    urgent: true,
    ...(contactButton !== undefined && { contactButton }),
    ...(rows.length > 0 && { buttons: rows.map((row) => [...row]) }),
  };
}

async function settle(
  { chats, now, onUnsaid }: ReplySenderDeps,
  chatId: number,
  sentAt: Date,
  reply: SendReply,
): Promise<void> {
  if (reply.kind === 'accepted') return;
  if (reply.kind === 'refused' && reply.addressIsDead)
    await chats.close(String(chatId), reply.reason, sentAt, now());
  onUnsaid(reply.kind === 'busy' ? 'busy' : reply.reason);
}
