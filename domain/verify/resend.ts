import type { SendCommand } from './send-command.ts';
import type { SendFacts } from './send-facts.ts';
import type { Verification } from './verification.ts';

/** X15: a person who sees nothing asks again after 30 s; who still sees nothing has another problem. */
const RESEND_GAPS_SECONDS: readonly number[] = [30, 60, 120];

/** The verification that this send may repeat: of the same recipient and purpose, and not over. */
export function liveAt(facts: SendFacts, now: Date): Verification | null {
  return facts.live && facts.live.expiresAt > now ? facts.live : null;
}

/** How long a resend has to wait for the last send, in milliseconds; 0 or less where it may go. */
export function resendWaitMs(command: SendCommand, live: Verification, now: Date): number {
  const gapsSeconds = command.gapsSeconds ?? RESEND_GAPS_SECONDS;
  const gapSeconds = gapsSeconds[Math.min(live.sends, gapsSeconds.length) - 1] ?? 0;
  return live.sentAt.getTime() + gapSeconds * 1_000 - now.getTime();
}

/** The living verification that this send repeats; null where it begins one of its own. */
export function resendOf(command: SendCommand, facts: SendFacts, now: Date): Verification | null {
  const live = liveAt(facts, now);
  return live && !standsAlone(command, facts) ? live : null;
}

/**
 * A code opens only for whoever types it; an approval, for all who hold its verification. Whoever asks for the same person must
 * therefore get a verification of their own, or they would be let in with them. Where push was named that is so for everybody, or
 * it would tell who has the app.
 */
const standsAlone = (
  { mode, channels, channelsByDefault }: SendCommand,
  { again, reach }: SendFacts,
): boolean => mode === 'live' && !again && channels.includes('push') && (!channelsByDefault || reach.ownApp);
