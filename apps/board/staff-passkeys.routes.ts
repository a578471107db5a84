import { z } from 'zod';
import type { AuditAction, AuditEntry } from '../../domain/staff/audit.ts';
import {
  type Passkey,
  PASSKEY_NAME_CHARACTERS_MAX,
  type Passkeys,
  PASSKEYS_MAX,
  type Registered,
  type Removed,
} from '../../domain/staff/passkey.ts';
import { sessionVias, type StaffCaller } from '../../domain/staff/session.ts';
import { PasskeyRegistration } from '../../domain/staff/webauthn.ts';
import { ById } from '../http/by-id.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../http/page.ts';
import { Problem } from '../http/problem.ts';
import { proofId, proofProblem } from '../http/proof.ts';
import {
  type Answer,
  defineStaffSessionRoute,
  type DoorRoute,
  type StaffSessionRequest,
} from '../http/route.ts';
import { AuthenticatorOptions, passkeyWords } from './passkey-words.ts';

const tag = 'Staff passkeys';

export interface PasskeyParts {
  readonly passkeys: Passkeys;
}

export const staffPasskeyRoutes = (parts: PasskeyParts): DoorRoute[] => [
  ask(parts),
  register(parts),
  list(parts),
  rename(parts),
  remove(parts),
];

const name = z
  .string()
  .trim()
  .min(1)
  .max(PASSKEY_NAME_CHARACTERS_MAX)
  .meta({ description: 'By which you tell it from the others.', example: 'Phone' });

const PasskeyBody = z
  .object({
    id: z.uuid(),
    name,
    version: z.int().meta({ description: 'A new name is a new version. A proof that removes it binds it.' }),
    created_at: z.date(),
    last_used_at: z.date().nullable(),
  })
  .meta({ id: 'Passkey' });

const bodyOf = ({ id, name: called, version, createdAt, lastUsedAt }: Passkey) => ({
  id,
  name: called,
  version,
  created_at: createdAt,
  last_used_at: lastUsedAt,
});

const own = { extent: 'full', credentials: sessionVias } as const;

const ask = ({ passkeys }: PasskeyParts) =>
  defineStaffSessionRoute({
    ...own,
    method: 'post',
    path: '/staff/passkeys/options',
    tag,
    summary: 'Ask an authenticator for a new passkey',
    description:
      'Options for `navigator.credentials.create()`. They are answered once, within five minutes, by `POST /staff/passkeys`.',
    answers: { 200: { description: 'What to ask the authenticator.', schema: AuthenticatorOptions } },
    handle: async ({ staff, now }) => ({
      status: 200,
      body: { options: await passkeys.registration(staff, now) },
    }),
  });

const NewPasskey = z.object({
  name,
  registration: PasskeyRegistration.meta({
    description: 'What `navigator.credentials.create()` answered, by its `toJSON()`.',
  }),
  proof_id: proofId,
});

const register = (parts: PasskeyParts) =>
  defineStaffSessionRoute({
    ...own,
    method: 'post',
    path: '/staff/passkeys',
    tag,
    summary: 'Register a passkey',
    description:
      `Up to ${PASSKEYS_MAX}. Its proof binds \`passkey.register\`, your own id as \`subject\`, \`version\` 0 and, as \`hash\`, SHA-256 of the ` +
      'bytes of `registration.response.attestationObject`: no other key comes in by it.',
    proof: true,
    body: NewPasskey,
    answers: { 201: { description: 'It is a second factor from now on.', schema: PasskeyBody } },
    problems: [409],
    handle: (request) => settleRegistration(parts, request),
  });

async function settleRegistration(
  parts: PasskeyParts,
  { body, staff, now }: StaffSessionRequest<unknown, unknown, z.infer<typeof NewPasskey>>,
): Promise<Answer> {
  const wish = { name: body.name, registration: body.registration, proofId: body.proof_id };
  const told = await parts.passkeys.register(staff.id, wish, now, (registered) => [
    entry(
      staff,
      'passkey.register',
      registered.registered
        ? {
            outcome: 'done',
            passkey: registered.passkey.id,
            name: registered.passkey.name,
            proof: body.proof_id,
          }
        : { outcome: 'refused', reason: reasonOf(registered) },
    ),
  ]);
  if (!told.registered) throw notRegistered(told);
  return { status: 201, body: bodyOf(told.passkey) };
}

function notRegistered(told: Exclude<Registered, { registered: true }>): Problem {
  if (told.reason === 'proof') return proofProblem(told.outcome);
  if (told.reason === 'taken')
    return new Problem(409, 'passkey-taken', 'This passkey is registered already.');
  if (told.reason === 'too-many')
    return new Problem(409, 'too-many-passkeys', `You have ${PASSKEYS_MAX} passkeys. Remove one first.`);
  return new Problem(403, 'passkey-refused', passkeyWords[told.reason]);
}

const list = ({ passkeys }: PasskeyParts) =>
  defineStaffSessionRoute({
    ...own,
    method: 'get',
    path: '/staff/passkeys',
    tag,
    summary: 'Your passkeys',
    description: 'Newest first.',
    query: z.object(pageQuery),
    answers: { 200: { description: 'A page of them.', schema: pageSchema(PasskeyBody) } },
    async handle({ query, staff }) {
      const page = await passkeys.list(staff.id, pageOrder(query));
      return { status: 200, body: pageBody(page, bodyOf) };
    },
  });

const rename = (parts: PasskeyParts) =>
  defineStaffSessionRoute({
    ...own,
    method: 'patch',
    path: '/staff/passkeys/{id}',
    tag,
    summary: 'Rename a passkey',
    params: ById,
    body: z.object({ name }),
    answers: { 200: { description: 'It has the new name.', schema: PasskeyBody } },
    problems: [404],
    async handle({ params, body, staff }) {
      const detail = { outcome: 'done', passkey: params.id, name: body.name };
      const renamed = await parts.passkeys.rename(staff.id, params.id, body.name, (found) =>
        found ? [entry(staff, 'passkey.rename', detail)] : [],
      );
      if (!renamed) throw notFound();
      return { status: 200, body: bodyOf(renamed) };
    },
  });

const remove = (parts: PasskeyParts) =>
  defineStaffSessionRoute({
    ...own,
    method: 'post',
    path: '/staff/passkeys/{id}/remove',
    tag,
    summary: 'Remove a passkey',
    description:
      'Its proof binds `passkey.remove`, its id as `subject` and its `version`. The authenticator app stays a second factor.',
    proof: true,
    params: ById,
    body: z.object({ proof_id: proofId }),
    answers: { 204: { description: 'It opens nothing any more.', schema: z.undefined() } },
    problems: [404],
    async handle({ params, body, staff, now }) {
      const wish = { id: params.id, proofId: body.proof_id };
      const told = await parts.passkeys.remove(staff.id, wish, now, (removed) => [
        entry(
          staff,
          'passkey.remove',
          removed.removed
            ? { outcome: 'done', passkey: params.id, proof: body.proof_id }
            : { outcome: 'refused', passkey: params.id, reason: reasonOf(removed) },
        ),
      ]);
      if (told.removed) return { status: 204, body: undefined };
      throw told.reason === 'proof' ? proofProblem(told.outcome) : notFound();
    },
  });

const notFound = (): Problem => new Problem(404, 'not-found', 'You have no such passkey.');

const reasonOf = (
  told: Exclude<Registered, { registered: true }> | Exclude<Removed, { removed: true }>,
): string => (told.reason === 'proof' ? told.outcome : told.reason);

const entry = (
  staff: StaffCaller,
  action: AuditAction,
  detail: Readonly<Record<string, unknown>>,
): AuditEntry => ({ by: staff, action, subject: staff.email, detail: { ...detail, via: staff.via } });
