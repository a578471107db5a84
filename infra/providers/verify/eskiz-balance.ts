import type { Agent } from 'undici';
import { z } from 'zod';
import type { SendReply } from '../../../domain/job/reply.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import type { AskBalance, BalanceReading } from '../../../domain/verify/provider-balance.ts';
import { ask, type HttpAnswer } from '../http.ts';
import { replyWithoutAnswer, unexpected } from '../replies.ts';
import { ESKIZ_PROVIDER, type EskizSession } from './eskiz-session.ts';

const MICROS = 1_000_000;
/** A million millions of soʻm, far from what a bigint of millionths holds. */
const BALANCE_MAX = 1e12;
/** A balance is a number, or a text of one. What is empty is no balance of 0. */
const Balance = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,13}(?:\.\d{1,9})?$/)
      .transform(Number),
  ])
  .pipe(z.number().min(0).max(BALANCE_MAX));
const Limit = z.object({ data: z.object({ balance: Balance }) });

/** What Eskiz answers when asked for its balance, in soʻm (contracts §5a). */
export function balanceIn(answer: HttpAnswer | SendReply): BalanceReading {
  if ('kind' in answer) return { kind: 'failed', reason: 'reason' in answer ? answer.reason : answer.kind };
  const told = answer.status < 300 ? Limit.safeParse(parseJson(answer.text)).data : undefined;
  if (!told)
    return { kind: 'failed', reason: answer.status < 300 ? 'answer-unreadable' : 'provider-unavailable' };
  return { kind: 'told', micros: BigInt(Math.round(told.data.balance * MICROS)) };
}

/** Asks by the session that sends go by, so that it costs no login. */
export const eskizBalance =
  (session: EskizSession, agent: Agent): AskBalance =>
  async (signal) => {
    const url = session.url('/user/get-limit');
    try {
      return balanceIn(
        await session.withToken(signal, (authorization) =>
          ask(agent, { method: 'GET', url, headers: { authorization } }, signal),
        ),
      );
    } catch (error) {
      const withoutAnswer = replyWithoutAnswer(error, signal);
      if (withoutAnswer) return balanceIn(withoutAnswer);
      throw unexpected(ESKIZ_PROVIDER, error);
    }
  };
