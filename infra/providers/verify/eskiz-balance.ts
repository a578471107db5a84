import { z } from 'zod';
import type { SendReply } from '../../../domain/job/reply.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import type { BalanceReading } from '../../../domain/verify/provider-balance.ts';
import type { HttpAnswer } from '../http.ts';

const MICROS = 1_000_000;
/** A balance is a number, or a text of one. */
const Limit = z.object({ data: z.object({ balance: z.coerce.number().finite().min(0) }) });

/** What Eskiz answers when asked for its balance, in soʻm (contracts §5a). */
export function balanceIn(answer: HttpAnswer | SendReply): BalanceReading {
  if ('kind' in answer) return { kind: 'failed', reason: 'reason' in answer ? answer.reason : answer.kind };
  const told = answer.status < 300 ? Limit.safeParse(parseJson(answer.text)).data : undefined;
  if (!told)
    return { kind: 'failed', reason: answer.status < 300 ? 'answer-unreadable' : 'provider-unavailable' };
  return { kind: 'told', micros: BigInt(Math.round(told.data.balance * MICROS)) };
}
