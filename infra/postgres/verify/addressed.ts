import type { SendOrder } from '../../../domain/verify/intake.ts';
import type { Signals } from './signals.ts';

/** An order with the key of the rows it will touch. */
export interface Addressed {
  readonly order: SendOrder;
  readonly addressHash: Buffer;
  readonly addressHex: string;
  /** Whose sends are counted together, in hex: strangers and approvals apart from the codes of a service. */
  readonly limitHex: string;
  /** The network address of a stranger with this project; null for a service. */
  readonly askedFrom: Buffer | null;
  /** Names of what a service told of its client, under which a paid send is scored too. */
  readonly signals: Signals;
  /** Under which the recipient is known, whom both modes share. */
  readonly recipientHash: Buffer;
}
