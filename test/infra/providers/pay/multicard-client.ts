import type { Multicard } from '../../../../apps/sandbox/pay/multicard/start-multicard.ts';
import type { CardRail, RailReply } from '../../../../domain/pay/rail/port.ts';
import { linesOf, orderOf } from '../../../apps/sandbox/pay/multicard-world.ts';
import { deadline } from '../support.ts';

export const AMOUNT = 1_234_500n;
export const COMMISSION = 12_345n;
export const money = { amount: AMOUNT, commission: COMMISSION, total: AMOUNT + COMMISSION };

export function valueOf<T>(reply: RailReply<T>): T {
  if (reply.kind !== 'answered') throw new Error(`expected an answer: ${JSON.stringify(reply)}`);
  return reply.value;
}
export const draftOn = async (rail: CardRail, reference = 'd-1') =>
  valueOf(await rail.draft(orderOf(reference), deadline())).uuid;
export const loginsOf = async (box: Multicard) =>
  (await linesOf(box)).filter((line) => line.t === 'begin' && line.path === '/auth').length;

export const refusal = (code: string, because: string, retryable: boolean) => ({
  kind: 'refused',
  code,
  because,
  retryable,
});
