import type { SendOrder } from '../../../domain/verify/intake.ts';

/** An order with the key of the rows it will touch. */
export interface Addressed {
  readonly order: SendOrder;
  readonly addressHash: Buffer;
  readonly addressHex: string;
  /** Whose sends are counted together, in hex: strangers and approvals apart from the codes of a service. */
  readonly limitHex: string;
  /** The network address of a stranger with this project; null for a service. */
  readonly askedFrom: Buffer | null;
  /** Under which the recipient is known, whom both modes share. */
  readonly recipientHash: Buffer;
}
