import { z } from 'zod';
import type {
  PreferencesLinks,
  PreferencesStore,
  RecipientPreferences,
} from '../../../domain/message/preferences/port.ts';
import { changers, PersonsWish, PreferencesChange } from '../../../domain/message/preferences/preferences.ts';
import { quietHoursText, QuietHoursText } from '../../../domain/message/preferences/quiet-hours.ts';
import type { Category } from '../../../domain/message/preferences/category.ts';
import { Time } from '../../../domain/shared/time.ts';
import { ById } from '../../http/by-id.ts';
import { Problem } from '../../http/problem.ts';
import { defineRoute, type Route } from '../../http/route.ts';

export interface PreferencesDeps {
  readonly store: PreferencesStore;
  readonly links: PreferencesLinks;
}

const PreferencesBody = z
  .object({
    recipient_id: z.uuid(),
    opted_out: z.boolean().meta({ description: 'No message and no push of the project at all.' }),
    categories: z
      .record(z.string(), z.boolean())
      .meta({ description: 'Each of the project’s `message_categories`: is it on?' }),
    quiet_hours: QuietHoursText.nullable(),
    time_zone: z.string().nullable().meta({ description: 'Asia/Tashkent counts where it is null.' }),
    preferences_url: z.string().meta({
      description:
        'The person’s own page. Whoever has it can change these preferences, and nothing else: give it to nobody but them.',
    }),
    changed_by: z.enum(changers).nullable(),
    changed_at: Time.nullable(),
  })
  .meta({ id: 'Preferences' });

export const preferencesRoutes = (deps: PreferencesDeps): Route[] => [
  getPreferences(deps),
  putPreferences(deps),
  renewLink(deps),
];

const shared = { tag: 'Messages', scope: 'recipients', testKeys: 'refused', params: ById } as const;

const getPreferences = ({ store, links }: PreferencesDeps) =>
  defineRoute({
    ...shared,
    method: 'get',
    path: '/recipients/{id}/preferences',
    summary: 'What a recipient wants of your messages',
    description:
      'Of whoever has said nothing, everything is on. Codes are no messages: no preference holds them back.',
    answers: { 200: { description: 'Their preferences.', schema: PreferencesBody } },
    problems: [404],
    async handle({ params, caller }) {
      const found = await store.find(caller.projectId, params.id);
      return { status: 200, body: bodyOf(orUnknown(found), caller.settings.message_categories, links) };
    },
  });

const putPreferences = ({ store, links }: PreferencesDeps) =>
  defineRoute({
    ...shared,
    method: 'put',
    path: '/recipients/{id}/preferences',
    summary: 'Changes what a recipient wants of your messages',
    description:
      'For a settings page of your own. A field that is absent stays as it is; the same body again changes nothing. Of two changes at once the later one holds where both name a field. A change counts for messages that are being sent within a second, and is told as `preferences.changed`. What the person said themselves, on their page, by one click or at the bot, only they take back: a body that would is 409 `persons-own-wish`, and nothing of it is done. Send them their `preferences_url`.',
    body: PreferencesChange,
    answers: { 200: { description: 'Their preferences now.', schema: PreferencesBody } },
    problems: [404, 409],
    async handle({ params, caller, body, now }) {
      const { message_categories: categories } = caller.settings;
      const known = new Set(categories.map(({ name }) => name));
      const strange = Object.keys(body.categories ?? {}).find((name) => !known.has(name));
      if (strange !== undefined)
        throw new Problem(400, 'invalid-request', 'The request does not fit the schema.', {
          errors: [{ pointer: `/categories/${strange}`, detail: `expected one of ${[...known].join(', ')}` }],
        });
      const changed = await store
        .change(caller.projectId, params.id, body, 'project', now)
        .catch(refuseTakingBack);
      return { status: 200, body: bodyOf(orUnknown(changed), categories, links) };
    },
  });

function refuseTakingBack(error: unknown): never {
  if (!(error instanceof PersonsWish)) throw error;
  throw new Problem(
    409,
    'persons-own-wish',
    `The person has set this themselves, and only they take it back: send them their preferences_url. Nothing was changed; leave out ${error.pointer}.`,
  );
}

const renewLink = ({ store, links }: PreferencesDeps) =>
  defineRoute({
    ...shared,
    method: 'post',
    path: '/recipients/{id}/preferences/link',
    summary: 'Renews the link to a recipient’s preferences page',
    description:
      'Every link that was given out before opens nothing any more, those in messages that were sent among them.',
    body: z.strictObject({}).optional(),
    answers: { 200: { description: 'With the new link.', schema: PreferencesBody } },
    problems: [404],
    async handle({ params, caller }) {
      const renewed = await store.renewLink(caller.projectId, params.id);
      return { status: 200, body: bodyOf(orUnknown(renewed), caller.settings.message_categories, links) };
    },
  });

function orUnknown(found: RecipientPreferences | null): RecipientPreferences {
  if (!found) throw new Problem(404, 'not-found', 'This project has no such recipient.');
  return found;
}

function bodyOf(of: RecipientPreferences, categories: readonly Category[], links: PreferencesLinks) {
  const { optedOutAt, categoriesOff, quietHours, timeZone } = of.preferences;
  return {
    recipient_id: of.recipientId,
    opted_out: optedOutAt !== null,
    categories: Object.fromEntries(categories.map(({ name }) => [name, !categoriesOff.includes(name)])),
    quiet_hours: quietHours && quietHoursText(quietHours),
    time_zone: timeZone,
    preferences_url: links.urlOf(of),
    changed_by: of.changedBy,
    changed_at: of.changedAt?.toISOString() ?? null,
  };
}
