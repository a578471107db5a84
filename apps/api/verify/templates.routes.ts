import { z } from 'zod';
import type { Projects } from '../../../domain/project/port.ts';
import { settingsAfter, SettingsChange, settingWarnings } from '../../../domain/settings.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { Locale } from '../../../domain/shared/locale.ts';
import { Payment } from '../../../domain/shared/payment.ts';
import type { SmsSize } from '../../../domain/shared/sms-segments.ts';
import { type TextModeration, textStates } from '../../../domain/verify/text-moderation.ts';
import type { TextSettings } from '../../../domain/verify/text.ts';
import { type TextPreview, textPreviews } from '../../../domain/verify/text-preview.ts';
import { SmsProvider } from '../../../domain/verify/sms-provider.ts';
import { type RoutedProvider, routeOf, type SmsRouting } from '../../../domain/verify/sms-routes.ts';
import { PhoneField } from '../../http/fields.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { noProject, ownProject, ProjectParams, SettingWarnings } from '../project/projects.routes.ts';

export interface TemplateDeps {
  readonly projects: Pick<Projects, 'find'>;
  readonly moderation: Pick<TextModeration, 'of'>;
  /** Providers of SMS that are on here and send approved texts only. */
  readonly moderated: readonly string[];
  readonly sms: SmsRouting;
}

export const templateRoutes = (deps: TemplateDeps): Route[] => [previewTemplates(deps)];

const PreviewBody = z.strictObject({
  settings: SettingsChange.optional().meta({
    description: 'As you would send them to `PATCH /projects/{id}`: what is not named is as it is stored.',
  }),
  payment: Payment.optional().meta({
    description: 'Adds the texts of a code that confirms this payment.',
  }),
  to: PhoneField.optional().meta({
    description: 'A phone: which providers would carry an SMS to it, and at what price. It is sent nothing.',
    example: '+998901234567',
  }),
});

const ProviderBody = z
  .object({
    provider: SmsProvider,
    price_micros: z.string().meta({
      description: 'Of one SMS, in millionths of the currency; times `segments` it is that of a text.',
      example: '200000000',
    }),
    price_currency: z.string().meta({ example: 'UZS' }),
  })
  .meta({ id: 'SmsPrice' });

const sizeShape = {
  alphabet: z.enum(['gsm', 'ucs-2']).meta({
    description: "GSM's own, or UCS-2 where one letter is not in that: 160 letters an SMS, or 70.",
  }),
  length: z.int().meta({ description: 'Places of that alphabet.', example: 64 }),
  segments: z.int().meta({ description: 'As how many SMS it is billed.', example: 1 }),
};

const ModerationBody = z
  .object({
    provider: z.string().meta({ description: 'Who sends approved texts only.', example: 'eskiz' }),
    state: z.enum(textStates).meta({
      description:
        '`not-approved`: it is passed by, and the next provider of the number is used. `unknown`: neither its list nor its answer to a send of your project of the last hour tells; it is asked.',
    }),
    said: z.string().nullable().meta({
      description: "The provider's words: of the approved text, or of its refusal.",
      example: 'service',
    }),
    since: z.iso.datetime().nullable().meta({ description: 'Since when that is known.' }),
  })
  .meta({ id: 'TextModeration' });

const TextBody = z
  .object({
    locale: Locale,
    for_payment: z.boolean().meta({ description: 'Of the payment of the request.' }),
    own_template: z.boolean().meta({ description: 'By a template of the project, not the standard text.' }),
    text: z.string().meta({
      description: 'The whole SMS of an ordinary code: six digits, five minutes.',
      example: 'Shop: код 123456, 5 мин. Никому не сообщайте.',
    }),
    ...sizeShape,
    ucs2_letters: z
      .array(z.string())
      .readonly()
      .meta({ description: 'Letters that GSM does not have, each once.', example: ['к', 'о', 'д'] }),
    longest: z.object(sizeShape).meta({ description: 'With the longest code and two digits of minutes.' }),
    one_sms: z.boolean().meta({ description: 'Even with those it is one SMS.' }),
    sms_retriever: z.boolean().nullable().meta({
      description:
        "Even with those Google's SMS Retriever passes it on to the app: 140 bytes at most. Null without `sms_app_hash`.",
    }),
    moderation: z.array(ModerationBody).meta({
      description: 'Of each provider of SMS that is on here and sends approved texts only.',
    }),
  })
  .meta({ id: 'TextPreview' });

const previewTemplates = (deps: TemplateDeps) =>
  defineRoute({
    method: 'post',
    path: '/projects/{id}/templates/preview',
    tag: 'Projects',
    summary: 'What an SMS would say, and cost, with settings that are not saved',
    description:
      'Takes the settings that you mean to send to `PATCH /projects/{id}` and answers the SMS of each language: filled in, with the name of the project and the last line for autofill, its alphabet, its length and as how many SMS it is billed. `warnings` is what that PATCH would answer. Nothing is saved, and neither ceilings nor the name are checked.',
    scope: 'projects',
    testKeys: 'apart',
    params: ProjectParams,
    body: PreviewBody,
    answers: {
      200: {
        description: 'One text a language, and one more where a payment was given.',
        schema: z.object({
          texts: z.array(TextBody).meta({ description: 'What an SMS says in each language.' }),
          warnings: SettingWarnings,
          providers: z.array(ProviderBody).readonly().nullable().meta({
            description:
              'Those of the route of `to`, in their listed order; empty where none carries an SMS there. Null without `to`.',
          }),
        }),
      },
    },
    problems: [404],
    async handle({ params, body, caller }) {
      const project = await deps.projects.find(ownProject(params.id, caller));
      if (!project) throw noProject();
      const settings = settingsAfter(project.settings, body.settings ?? {});
      const { display_name: name = project.slug } = settings;
      const texts = await textBodies(deps, { projectId: project.id, name, settings }, body.payment ?? null);
      const route = body.to === undefined ? null : routeOf(body.to, deps.sms, settings.sms_routes);
      const warnings = settingWarnings(name, settings);
      return { status: 200, body: { texts, warnings, providers: route?.map(providerBody) ?? null } };
    },
  });

interface Previewed {
  readonly projectId: ProjectId;
  readonly name: string;
  readonly settings: TextSettings;
}

/** Of the codes that move no money, then of the payment. */
async function textBodies(
  deps: TemplateDeps,
  { projectId, name, settings }: Previewed,
  payment: Payment | null,
): Promise<z.infer<typeof TextBody>[]> {
  const payments = payment ? [null, payment] : [null];
  const previews = payments.flatMap((one) =>
    textPreviews(name, settings, one).map((preview) => ({ preview, isForPayment: one !== null })),
  );
  return Promise.all(
    previews.map(async ({ preview, isForPayment }) => ({
      ...previewBody(preview, isForPayment),
      moderation: await moderationBodies(deps, projectId, preview.text),
    })),
  );
}

const moderationBodies = (
  { moderation, moderated }: TemplateDeps,
  projectId: ProjectId,
  text: string,
): Promise<z.infer<typeof ModerationBody>[]> =>
  Promise.all(
    moderated.map(async (provider) => {
      const { state, said, since } = await moderation.of({ provider, projectId, text });
      return { provider, state, said, since: since?.toISOString() ?? null };
    }),
  );

const previewBody = (
  preview: TextPreview,
  isForPayment: boolean,
): Omit<z.infer<typeof TextBody>, 'moderation'> => ({
  locale: preview.locale,
  for_payment: isForPayment,
  own_template: preview.isOwn,
  text: preview.text,
  ...sizeBody(preview.usual),
  ucs2_letters: preview.usual.ucs2Letters,
  longest: sizeBody(preview.longest),
  one_sms: preview.longest.segments === 1,
  sms_retriever: preview.isRetrieved,
});

const sizeBody = ({ alphabet, length, segments }: SmsSize) => ({ alphabet, length, segments });

const providerBody = ({ provider, price }: RoutedProvider) => ({
  provider,
  price_micros: String(price.micros),
  price_currency: price.currency,
});
