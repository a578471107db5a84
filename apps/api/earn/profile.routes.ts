import { z } from 'zod';
import { type Earner, type Earners, type Installation, NAME_MAX } from '../../../domain/earn/people/port.ts';
import type { RecipientLanguages } from '../../../domain/identity/recipient/port.ts';
import type { Withdrawals } from '../../../domain/pay/payout/withdrawals.ts';
import { Locale } from '../../../domain/shared/locale.ts';
import { maskPhone } from '../../../domain/shared/phone.ts';
import { onceValid } from '../../../domain/shared/refine.ts';
import { moneyText } from '../../http/pay/fields.ts';
import { Problem } from '../../http/problem.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';
import { installationBody, InstallationBodies } from './installation-body.ts';

const tag = 'Profile';

export interface ProfileDeps {
  readonly earners: Earners;
  readonly languages: RecipientLanguages;
  readonly withdrawals: Pick<Withdrawals, 'destinations'>;
}

export const profileRoutes = (deps: ProfileDeps): Route[] => [show(deps), change(deps)];

const Name = moneyText(NAME_MAX)
  .nullable()
  .meta({ description: 'What the person wants to be called; null where they named none.', example: 'Aziza' });

const ProfileBody = z
  .object({
    name: Name,
    language: Locale.nullable().meta({
      description: 'Of what the person reads (BCP 47); null where they chose none.',
      example: 'uz',
    }),
    telegram_id: z.int().nullable().meta({ description: 'Null where no chat of theirs is known.' }),
    phone: z
      .string()
      .nullable()
      .meta({
        description: 'Masked; null where they proved none.',
        example: maskPhone('+998901234567'),
      }),
    installations: InstallationBodies,
    destinations: z.int().meta({ description: 'Cards: `GET /api/profile/destinations`.' }),
    created_at: z.date().meta({ description: 'When they first signed in.' }),
  })
  .meta({ id: 'Profile' });

const profileBody = (one: Earner, installations: readonly Installation[], destinations: number) => ({
  name: one.name,
  language: one.locale,
  telegram_id: one.telegramId === null ? null : Number(one.telegramId),
  phone: one.phone === null ? null : maskPhone(one.phone),
  installations: installations.map(installationBody),
  destinations,
  created_at: one.createdAt,
});

/** @throws Problem 404 where their handle was erased while they were signed in. */
async function read({ earners, withdrawals }: ProfileDeps, personId: string, now: Date) {
  const [one, installations, destinations] = await Promise.all([
    earners.find(personId),
    earners.installations(personId, now),
    withdrawals.destinations(personId),
  ]);
  if (!one) throw new Problem(404, 'not-found', 'Nothing is kept of this person any more.');
  return profileBody(one, installations, destinations.length);
}

const show = (deps: ProfileDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/profile',
    tag,
    summary: 'Show the profile',
    description: 'The caller’s own.',
    session: 'earner',
    answers: { 200: { description: 'As it is now.', schema: ProfileBody } },
    problems: [404],
    handle: async ({ person, now }) => ({ status: 200, body: await read(deps, person.personId, now) }),
  });

const change = (deps: ProfileDeps) =>
  definePersonRoute({
    method: 'patch',
    path: '/api/profile',
    tag,
    summary: 'Change the profile',
    description:
      'A field that is absent stays as it is; null takes it away. Phone and Telegram account are proven by signing in.',
    session: 'earner',
    body: z
      .strictObject({
        name: Name.optional(),
        language: Locale.nullable().optional().meta({
          description: 'Of what the person reads from this project (BCP 47).',
          example: 'uz',
        }),
      })
      .refine(({ name, language }) => name !== undefined || language !== undefined, {
        ...onceValid,
        error: 'expected `name`, `language` or both',
      }),
    answers: { 200: { description: 'As it is now.', schema: ProfileBody } },
    problems: [404],
    async handle({ body, person, now }) {
      if (body.name !== undefined) await deps.earners.rename(person.personId, body.name, now);
      if (body.language !== undefined) await deps.languages.set(person.recipientId, body.language, now);
      return { status: 200, body: await read(deps, person.personId, now) };
    },
  });
