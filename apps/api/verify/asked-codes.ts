import type { ProofTokens } from '../../../domain/shared/proof-tokens.ts';
import type { CheckResult } from '../../../domain/verify/check.ts';
import { checkGuarded, nothingToCheck } from '../../../domain/verify/guarded-check.ts';
import type { Destination } from '../../../domain/shared/address.ts';
import type { SendCommand } from '../../../domain/verify/send-command.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import { CheckToken, tokenMissing } from '../../http/check-token.ts';
import { guesserOf } from '../../http/guesser.ts';
import type { Answer } from '../../http/route.ts';
import { accept, type OtpRouteDeps, resendCommand } from './otp.routes.ts';
import { checkProblem } from './otp-problems.ts';

/** Codes that somebody asks for with a key that anybody may have: each belongs to who asked for it, and shows it by a token. */
export interface AskedDeps extends Pick<OtpRouteDeps, 'intake' | 'checks' | 'verifications' | 'failures'> {
  readonly checkTokens: ProofTokens;
}

/** Of a request to send. */
export const againToken = {
  check_token: CheckToken.optional().meta({
    description:
      'Of your earlier request: the same code is sent again, after 30, 60, then 120 seconds. Without it, a publishable key begins another verification, which leaves the earlier one as it is.',
  }),
};

/** Sends a code; with a token, the code that it is the token of, once more. */
export async function ask(
  deps: AskedDeps,
  request: Parameters<typeof accept>[1],
  asked: {
    readonly destination: Destination;
    readonly command: SendCommand;
    readonly token: string | undefined;
  },
): Promise<Answer> {
  const { destination, command, token } = asked;
  if (token === undefined) return accept(deps, request, destination, command);
  const { caller } = request;
  const id = deps.checkTokens.read(token);
  const facts = id === null ? null : await deps.verifications.resendOf(caller.projectId, caller.mode, id);
  const isTheirs =
    facts?.askedBy === 'stranger' &&
    facts.verification.purpose === command.purpose &&
    isSame(facts.destination, destination);
  if (!facts || !isTheirs || caller.access === 'secret') throw checkProblem({ kind: 'unknown' });
  const resend = { of: facts.id, body: {} };
  return accept(deps, request, destination, resendCommand(facts, caller, {}), resend);
}

const isSame = (a: Destination, b: Destination) =>
  'phone' in a && 'phone' in b ? a.phone === b.phone : false;

interface Shown {
  /** Whoever checks, by the address they call from; null where nobody said. */
  readonly client: string | null;
  readonly token: string | undefined;
  /** The id that was named beside the token; null where none was. */
  readonly id: string | null;
  readonly purpose: string;
  readonly code: string;
}

/**
 * Checks a code that a stranger asked for. A token that is none, or another's, is counted as a guess of its address, and touches no
 * verification; one that is right leaves five checks, whatever others at the same address do.
 */
export async function checkAsked(
  { checks, failures, checkTokens }: AskedDeps,
  caller: Caller,
  { client, token, id: named, purpose, code }: Shown,
): Promise<Extract<CheckResult, { kind: 'approved' }>> {
  if (token === undefined) throw tokenMissing();
  const { projectId, mode } = caller;
  const id = checkTokens.read(token);
  const guesser = { ...guesserOf(caller, client), projectId };
  const of = { id: id ?? '', purpose, by: 'stranger' } as const;
  const check = { projectId, mode, of, code };
  if (id === null || (named !== null && named !== id))
    throw checkProblem(asRefused(await checkGuarded({ checks: nothingToCheck, failures }, guesser, check)));
  const result = await checks.check(check);
  if (result.kind === 'approved') return result;
  throw checkProblem(result);
}

function asRefused(result: Awaited<ReturnType<typeof checkGuarded>>) {
  if (result.kind === 'approved') throw new Error('nothing was checked, and it was right');
  return result;
}
