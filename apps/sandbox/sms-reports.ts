import type { Fate, Message, Status } from './message.ts';
import type { FaultOutcome } from './under-fault.ts';
import type { World } from './world.ts';

const steps = {
  delivered: ['sent', 'delivered'],
  lost: ['sent'],
  undelivered: ['sent', 'undelivered'],
} as const satisfies Record<Fate, readonly Status[]>;

/** Posts one report; `proven` with what shows that it is the provider's. */
export type PostReport = (status: Status, proven: boolean) => void;

/** The delivery reports of a message that an aggregator of SMS has taken: those of its fate, or as its fault orders them. */
export function reportSteps(
  { timers, timing }: World,
  message: Message,
  { says, reports }: FaultOutcome,
  post: PostReport,
): void {
  const reported = says === 'nothing' ? [] : steps[says ?? message.fate];
  const { after_ms: afterMs = 0, report_times: times = 1, reversed = false, forged = false } = reports ?? {};
  const ordered = reversed ? reported.toReversed() : reported;
  ordered.forEach((status, index) => {
    timers.after(afterMs + timing.stepMs * (index + 1), () => {
      // What a phone shows is not what is said of it.
      if (message.fate !== 'lost' || status === 'sent') message.status = status;
      for (let n = 0; n < times; n++) post(status, !forged);
    });
  });
}
