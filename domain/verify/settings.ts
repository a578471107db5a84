import { z } from 'zod';
import { Country } from '../shared/country.ts';
import { Channel, channels } from './channel.ts';
import { templateWarnings } from './template-warnings.ts';
import { Templates } from './text.ts';

/** Every default is the platform's own rule (requirements X1, X4, X15). */
export const verifySettings = {
  /** Tried in this order where a request names none (X1): cheapest first, and SMS last. */
  channels: z.array(Channel).min(1).max(channels.length).default(['push', 'telegram', 'sms']),
  templates: Templates.default({}),
  /** Opt-in to codes of 4 or 5 digits: 3 checks, 120 s, never for login or money. */
  allow_short_codes: z.boolean().default(false),
  /** A push that nobody confirmed may by itself lead on to a paid channel. */
  push_unconfirmed_buys_sms: z.boolean().default(false),
  /** Countries whose numbers may get a paid message; empty means none. */
  sms_countries: z.array(Country).max(250).default(['UZ']),
  /** Spent on paid messages in one UTC day, in 10^-6 USD: 20 USD by default, what a small service uses in a month. */
  sms_daily_budget_micros: z.int().min(0).default(20_000_000),
  /** Of that, what requests with a publishable key may use up: half, so that strangers never empty what services need. */
  publishable_budget_percent: z.int().min(0).max(100).default(50),
  /** Sends to one destination in an hour. */
  sends_per_hour: z.int().min(1).max(100).default(5),
};

type VerifySettings = z.infer<z.ZodObject<typeof verifySettings>>;
declare module '../project/settings.ts' {
  interface ProjectSettings extends VerifySettings {}
}

export const verifyWarnings = (project: string, { templates }: Pick<VerifySettings, 'templates'>) =>
  templateWarnings(project, templates);
