import { z } from 'zod';
import {
  ACTIVE_KEYS_MAX,
  AllowedOrigins,
  KeyName,
  KeyScope,
  KEYS_MADE_MAX,
  keyAccesses,
  keyModes,
} from '../../../domain/project/key.ts';
import { onceValid } from '../../../domain/shared/refine.ts';
import type { KeyChanged, KeyCreated, KeyRevoked, Projects } from '../../../domain/project/port.ts';
import { keyJson, SCOPES_DEFAULT } from '../../../domain/project/project.ts';
import { Time } from '../../../domain/shared/time.ts';
import { Problem } from '../../http/problem.ts';
import { TimeField } from '../../http/fields.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { noProject, ownProject, ProjectParams } from './projects.routes.ts';

const KeyBody = z
  .object({
    id: z.uuid(),
    name: z.string().nullable().meta({ example: 'billing service' }),
    access: z.enum(keyAccesses),
    mode: z.enum(keyModes),
    hint: z.string().meta({ description: 'The last four characters.', example: 'x7Qw' }),
    scopes: z.array(KeyScope),
    allowed_origins: z.array(z.string()).meta({
      description:
        'Web origins whose pages may use this publishable key; others are refused. Apps send no `Origin` and need none.',
      example: ['https://shop.example'],
    }),
    created_at: Time,
    expires_at: Time.nullable(),
    revoked_at: Time.nullable(),
    last_used_at: Time.nullable().meta({ description: 'To the minute.' }),
  })
  .meta({ id: 'Key' });

const ORIGINS_WORDS =
  'For a publishable key in web pages: the origins whose pages may use it, exactly as browsers send them. Empty: no page may.';

const NewKeyBody = z
  .strictObject({
    name: KeyName.nullable()
      .default(null)
      .meta({ description: 'What tells it apart in lists.', example: 'billing service' }),
    access: z.enum(keyAccesses).default('secret').meta({
      description:
        "A publishable key may sit in an app; it reaches the founding documents' public endpoints only.",
    }),
    mode: z
      .enum(keyModes)
      .default('live')
      .meta({ description: 'A test key sends nothing; its codes show in `GET /otp/{id}`.' }),
    scopes: z
      .array(KeyScope)
      .min(1)
      .max(KeyScope.options.length)
      .default([...SCOPES_DEFAULT])
      .meta({
        description: 'No more than the calling key has. A publishable key has `public` whatever stands here.',
      }),
    expires_at: TimeField.nullable()
      .default(null)
      .meta({ description: 'Null: never. Not after the calling key expires.' }),
    allowed_origins: AllowedOrigins.default([]).meta({ description: ORIGINS_WORDS }),
  })
  .refine(({ access, allowed_origins: origins }) => access === 'publishable' || origins.length === 0, {
    ...onceValid,
    error: 'expected none for a secret key, which no page may hold: make a publishable key',
    path: ['allowed_origins'],
  });

const KeyChangeBody = z.strictObject({
  name: KeyName.nullable().optional(),
  allowed_origins: AllowedOrigins.optional().meta({ description: ORIGINS_WORDS }),
});

export function keyRoutes(projects: Projects): Route[] {
  return [listKeys(projects), createKey(projects), changeKey(projects), revokeKey(projects)];
}

const listKeys = (projects: Projects) =>
  defineRoute({
    method: 'get',
    path: '/projects/{id}/keys',
    tag: 'Keys',
    summary: 'All keys of the project, newest first',
    scope: 'projects',
    testKeys: 'refused',
    params: ProjectParams,
    answers: {
      200: {
        description: 'The keys, without their texts.',
        schema: z.object({ data: z.array(KeyBody), next_cursor: z.null() }),
      },
    },
    problems: [404],
    async handle({ params, caller }) {
      const keys = await projects.keys(ownProject(params.id, caller));
      return { status: 200, body: { data: keys.map(keyJson), next_cursor: null } };
    },
  });

const createKey = (projects: Projects) =>
  defineRoute({
    method: 'post',
    path: '/projects/{id}/keys',
    tag: 'Keys',
    summary: 'Makes a key and shows it once',
    description: `${ACTIVE_KEYS_MAX} keys of one access and mode are active at a time, such as one for each service. To replace one, make the new one, roll it out, revoke the old one.`,
    scope: 'projects',
    testKeys: 'refused',
    params: ProjectParams,
    body: NewKeyBody,
    answers: {
      201: {
        description: 'The key. Its text is stored nowhere and not shown again.',
        schema: KeyBody.extend({ key: z.string().meta({ example: 'nbt_live_…' }) }),
      },
    },
    problems: [404, 409],
    async handle({ params, body, caller, now }) {
      const id = ownProject(params.id, caller);
      const { expires_at: expiresAt, allowed_origins: allowedOrigins, ...rest } = body;
      const order = { ...rest, expiresAt, allowedOrigins };
      const created = await projects.createKeyBy(caller.keyId, id, order, now);
      if (!created.created) throw refusal[created.reason]();
      return { status: 201, body: { ...keyJson(created.key), key: created.text } };
    },
  });

const changeKey = (projects: Projects) =>
  defineRoute({
    method: 'patch',
    path: '/projects/{id}/keys/{keyId}',
    tag: 'Keys',
    summary: 'Changes the name or the allowed origins of a key',
    description:
      'What is not named stays. A key changes itself and keys that can do no more than itself. It holds within five seconds.',
    scope: 'projects',
    testKeys: 'refused',
    params: ProjectParams.extend({ keyId: z.uuid() }),
    body: KeyChangeBody,
    answers: { 200: { description: 'The key as it is now.', schema: KeyBody } },
    problems: [404],
    async handle({ params, body, caller, now }) {
      const id = ownProject(params.id, caller);
      const change = { name: body.name, allowedOrigins: body.allowed_origins };
      const changed = await projects.changeKey(caller.keyId, id, params.keyId, change, now);
      if (!changed.changed) throw notChanged[changed.reason]();
      return { status: 200, body: keyJson(changed.key) };
    },
  });

const notChanged: Readonly<Record<Extract<KeyChanged, { changed: false }>['reason'], () => Problem>> = {
  'no-key': () => new Problem(404, 'not-found', 'This project has no such key.'),
  'beyond-maker': () =>
    new Problem(403, 'insufficient-scope', 'A key can change only keys that can do no more than itself.'),
  'secret-key': () =>
    new Problem(400, 'invalid-request', 'The request does not fit the schema.', {
      errors: [
        {
          pointer: '/allowed_origins',
          detail: 'expected none for a secret key, which no page may hold: make a publishable key',
        },
      ],
    }),
};

const revokeKey = (projects: Projects) =>
  defineRoute({
    method: 'delete',
    path: '/projects/{id}/keys/{keyId}',
    tag: 'Keys',
    summary: 'Revokes a key',
    description:
      'It is refused everywhere within five seconds. A key revokes itself and keys that can do no more than itself (else 403 `insufficient-scope`), but not the last key that manages keys and can do all it does (409 `last-full-key`): make its successor first.',
    scope: 'projects',
    testKeys: 'refused',
    params: ProjectParams.extend({ keyId: z.uuid() }),
    answers: { 204: { description: 'It is revoked, now or since earlier.', schema: z.undefined() } },
    problems: [404, 409],
    async handle({ params, caller, now }) {
      const id = ownProject(params.id, caller);
      const revoked = await projects.revokeKeyBy(caller.keyId, id, params.keyId, now);
      if (revoked !== 'revoked') throw notRevoked[revoked]();
      return { status: 204, body: undefined };
    },
  });

const notRevoked: Readonly<Record<Exclude<KeyRevoked, 'revoked'>, () => Problem>> = {
  'no-key': () => new Problem(404, 'not-found', 'This project has no such key.'),
  'beyond-maker': () =>
    new Problem(403, 'insufficient-scope', 'A key can revoke only keys that can do no more than itself.'),
  'last-full-key': () =>
    new Problem(
      409,
      'last-full-key',
      'No other active key could do all that this one can, keys included: make its successor first, or ask staff of Navbat to revoke it.',
    ),
};

type Refusal = Extract<KeyCreated, { created: false }>['reason'];

const refusal: Readonly<Record<Refusal, () => Problem>> = {
  'too-many-active': () =>
    new Problem(
      409,
      'too-many-keys',
      `The project has ${ACTIVE_KEYS_MAX} active keys of this access and mode: revoke one first.`,
    ),
  'too-many-made': () =>
    new Problem(
      409,
      'too-many-keys',
      `The project has made ${KEYS_MADE_MAX} keys, revoked ones among them, and can make no more: ask staff of Navbat.`,
    ),
  'already-expired': () =>
    new Problem(400, 'invalid-request', 'The request does not fit the schema.', {
      errors: [{ pointer: '/expires_at', detail: 'expected a time in the future' }],
    }),
  // Random texts do not meet; it would take the same one twice.
  'key-taken': () => new Problem(409, 'key-taken', 'There is such a key already.'),
  'no-project': noProject,
  'beyond-maker': () =>
    new Problem(
      403,
      'insufficient-scope',
      'A key can make only keys that can do no more, and last no longer, than itself.',
    ),
};
