import { publicNet } from '../../../domain/shared/ip-address.ts';
import type { ScoredNames } from '../../../domain/verify/otp-job.ts';
import type { SendOrder } from '../../../domain/verify/intake.ts';
import type { KeyedHash } from '../../process/crypto.ts';
import { mayBePaid } from './may-be-paid.ts';

export type Signals = Pick<ScoredNames, 'ip' | 'device'>;

/** 64 bits of the keyed hash: a project would need billions of addresses for two that share a name. */
const NAME_HEX_CHARS = 16;
const none: Signals = { ip: null, device: null };

/**
 * An address that is not public is not scored: a service that tells of its own proxy's tells of nobody. Strangers need no such score, as
 * `strangers.ts` bounds their addresses more tightly.
 *
 * Where nobody told of a client, or nothing is paid, no hash is made: most sends cost nothing more.
 */
export function signalsOf(hash: KeyedHash, order: SendOrder): Signals {
  const { client } = order.command;
  if (client === null || order.asker.kind !== 'service' || !mayBePaid(order)) return none;
  const nameOf = (factor: keyof Signals, text: string | null | undefined) =>
    text ? `${factor} ${hash('signal', `${factor} ${text}`).toString('hex', 0, NAME_HEX_CHARS / 2)}` : null;
  return {
    ip: nameOf('ip', client?.ip && publicNet(client.ip)),
    device: nameOf('device', client?.device_id),
  };
}
