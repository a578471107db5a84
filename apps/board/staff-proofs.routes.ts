import { z } from 'zod';
import {
  PROOF_MINUTES,
  ProofBinds,
  type ProofMade,
  type ProofRefusal,
  type StaffProofs,
} from '../../domain/staff/proof.ts';
import { staffActions } from '../../domain/staff/role-actions.ts';
import { sessionVias, type StaffCaller } from '../../domain/staff/session.ts';
import { requireAction, type StaffGuards } from '../http/authenticate-staff.ts';
import { Problem } from '../http/problem.ts';
import {
  type Answer,
  defineStaffSessionRoute,
  type DoorRoute,
  type StaffSessionRequest,
} from '../http/route.ts';
import { type Authentication, countLogin, factorWords } from './authentication.ts';
import { eitherFactor, factorFields, noEitherFactor } from './given-factor.ts';
import { AuthenticatorOptions, passkeyWords, noPasskey } from './passkey-words.ts';

const tag = 'Staff proofs';

export interface ProofParts extends Pick<Authentication, 'counter'>, StaffGuards {
  /** Used by the routes that ask for them, in their transactions. */
  readonly proofs: Pick<StaffProofs<never>, 'make' | 'options'>;
}

export const staffProofRoutes = (parts: ProofParts): DoorRoute[] => [ask(parts), make(parts)];

const binds = ProofBinds.meta({ description: 'What is approved: exactly this, and nothing else.' });

/** Who may not do it need not prove that they would; that they tried is kept. */
async function requireBound(
  staff: StaffCaller,
  { action, subject }: ProofBinds,
  guards: StaffGuards,
): Promise<void> {
  const known = staffActions.find((one) => one === action);
  if (known) await requireAction(staff, known, subject, guards);
}

const ask = ({ proofs, audit }: ProofParts) =>
  defineStaffSessionRoute({
    method: 'post',
    path: '/staff/proofs/options',
    tag,
    summary: 'Ask a passkey to approve something',
    description:
      'Options for `navigator.credentials.get()`. The challenge is SHA-256 over the canonical JSON of `binds` (RFC 8785) and a nonce ' +
      'of ours, so that the authenticator signs what is approved. It is answered once, within five minutes, by `POST /staff/proofs` ' +
      'with the same `binds`.',
    extent: 'full',
    credentials: sessionVias,
    body: z.object({ binds }),
    answers: { 200: { description: 'What to ask the authenticator.', schema: AuthenticatorOptions } },
    problems: [409],
    async handle({ body, staff, now }) {
      await requireBound(staff, body.binds, { audit });
      const options = await proofs.options(staff.id, body.binds, now);
      if (!options) throw noPasskey();
      return { status: 200, body: { options } };
    },
  });

const Given = z
  .object({
    ...factorFields('Six digits of the authenticator app, or `passkey`. A recovery code proves nothing.'),
    binds,
  })
  .refine(eitherFactor, noEitherFactor());

const make = (parts: ProofParts) =>
  defineStaffSessionRoute({
    method: 'post',
    path: '/staff/proofs',
    tag,
    summary: 'Approve something with the second factor',
    description:
      `A proof is good for ${PROOF_MINUTES} minutes, once, for its maker and for exactly the \`binds\` that it was made of. A code of the ` +
      'app passes once over logins and proofs together, and wrong ones count with those of the login.',
    extent: 'full',
    credentials: sessionVias,
    body: Given,
    answers: {
      201: {
        description: 'Send its id as `proof_id` with what it approves.',
        schema: z
          .object({
            id: z.uuid(),
            by: z.enum(['totp', 'passkey']).meta({ description: 'Which second factor made it.' }),
            binds,
            expires_at: z.date(),
          })
          .meta({ id: 'StaffProof' }),
      },
    },
    handle: (request) => prove(parts, request),
  });

type ProofRequest = StaffSessionRequest<unknown, unknown, z.infer<typeof Given>>;

async function prove(parts: ProofParts, { body, staff, ip, now }: ProofRequest): Promise<Answer> {
  await requireBound(staff, body.binds, parts);
  await countLogin(parts, 'second-factor', ip);
  const by = body.passkey ? { passkey: body.passkey } : { code: body.code ?? '' };
  const who = { staffId: staff.id, browser: null };
  const made = await parts.proofs.make(who, by, body.binds, now, (told) => [
    {
      by: staff,
      action: 'proof.make',
      subject: body.binds.subject,
      detail: { ...outcomeOf(told), binds: body.binds, address: ip },
    },
  ]);
  if (!made.made) throw refusal(made.reason);
  const { id, expiresAt } = made.proof;
  return { status: 201, body: { id, by: made.proof.by, binds: made.proof.binds, expires_at: expiresAt } };
}

const outcomeOf = (told: ProofMade) =>
  told.made
    ? { outcome: 'done', proof: told.proof.id, by: told.proof.by }
    : { outcome: 'refused', reason: told.reason };

function refusal(reason: ProofRefusal): Problem {
  if (reason === 'gone') return new Problem(401, 'unauthenticated', 'This session has ended. Log in again.');
  if (reason === 'recovery-code')
    return new Problem(
      403,
      'recovery-code-refused',
      'A recovery code logs in, and approves nothing. Send a code of the app, or use a passkey.',
    );
  if (reason in passkeyWords)
    return new Problem(403, 'passkey-refused', passkeyWords[reason as keyof typeof passkeyWords]);
  const words =
    reason === 'malformed'
      ? 'This is no code: send the six digits of the authenticator app.'
      : factorWords[reason as keyof typeof factorWords];
  return new Problem(403, 'second-factor-refused', words, {
    nextStep:
      'Send a code of the authenticator app that was not used yet: wait for the next one. Or use a passkey.',
  });
}
