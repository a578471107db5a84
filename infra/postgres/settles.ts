import type { Lines } from './job/scheduler.ts';
import type { Settles } from './job/settle.ts';
import { earnSettle } from './earn/settle.ts';
import { messageSettle } from './message/settle.ts';
import { linkSettle, paySettle } from './pay/settle.ts';
import { chatLine } from './message/telegram/line.ts';
import { otpSettle } from './verify/settle.ts';
import { webhookLine } from './webhook/line.ts';
import { webhookSettle } from './webhook/settle.ts';

/** The registry of what kinds add to the engine's statements: a line for each kind that adds something. */
export const settles = {
  'otp-send': otpSettle,
  'telegram-message': messageSettle,
  push: messageSettle,
  payout: paySettle,
  'payout-link': linkSettle,
  'traffic-report': earnSettle,
  webhook: webhookSettle,
} satisfies Settles;

/** The kinds whose jobs do not wait by project alone. */
export const linesOf = ({ chatGapMs }: { readonly chatGapMs: number }): Lines => ({
  'telegram-message': chatLine(chatGapMs),
  webhook: webhookLine,
});
