import type { CardRail } from '../../domain/pay/rail/port.ts';
import type { RailId } from '../../domain/pay/ids.ts';

/** A batch is run after somebody has looked at it for longer; of one that runs nothing new begins so much later. */
const ASK_MS = 30_000;
const CALL_MS_MAX = 10_000;

export interface AskRailsDeps {
  readonly rail: Pick<CardRail, 'id' | 'wallet'>;
  /** Keeps what the rail said of our account. */
  readonly said: (rail: RailId, wantsOtp: boolean) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

/**
 * Asks the rail whether it wants a one-time password for each payment: then no batch begins to run, and nothing new of one that runs. Where
 * it does not answer, what it said before stands.
 *
 * @returns a round; it answers after how many milliseconds the next one is due.
 */
export function askingRails({ rail, said, onFault }: AskRailsDeps): () => Promise<number> {
  return async () => {
    const reply = await rail.wallet(AbortSignal.timeout(CALL_MS_MAX));
    if (reply.kind === 'answered') await said(rail.id, reply.value.otpRequired);
    else onFault(new Error(`${rail.id}: ${reply.kind === 'refused' ? reply.because : reply.why}`));
    return ASK_MS;
  };
}
