import { z } from 'zod';
import { Channel, channels } from '../verify/channel.ts';
import { Templates } from '../verify/text.ts';
import { Locale, LOCALE_DEFAULT } from '../shared/locale.ts';
import { VISIBLE_LINE } from '../shared/visible-line.ts';

/** ISO 3166-1 alpha-2. */
export const Country = z.string().regex(/^[A-Z]{2}$/, 'expected two capital letters, such as UZ');

/** What a project may set for itself. Every default is the platform's own rule (requirements X1, X4, X15). */
export const ProjectSettings = z.object({
  /** The name a person reads in a message, and where they are asked to approve; the slug where it is absent. */
  display_name: z.string().max(40).regex(VISIBLE_LINE, 'expected one line of visible text').optional().meta({
    description:
      "What people read in messages and where they approve; the slug where it is absent. A name that reads as Navbat's own or as another project's, in whatever letters, is staff's to give.",
  }),
  locale: Locale.default(LOCALE_DEFAULT),
  /** Tried in this order where a request names none (X1): cheapest first, and SMS last. */
  channels: z.array(Channel).min(1).max(channels.length).default(['push', 'telegram', 'sms']),
  templates: Templates.default({}),
  /** Opt-in to codes of 4 or 5 digits: 3 checks, 120 s, never for login or money. */
  allow_short_codes: z.boolean().default(false),
  /** A push that nobody confirmed may by itself lead on to a paid channel. */
  push_unconfirmed_buys_sms: z.boolean().default(false),
  /**
   * This project's own site or app is the one that the installation's bot signs people in for. What Telegram signs names no project:
   * where more than one took it, each could hand its visitors' on to the other and enter there as them.
   */
  telegram_sign_in: z.boolean().default(false).meta({
    description:
      "This project's own site or app is the one that the installation's bot signs people in for (`POST /auth/telegram`). What Telegram signs names no project: set it for one project, and for none whose visitors' data others are given too.",
  }),
  /** Countries whose numbers may get a paid message; empty means none. */
  sms_countries: z.array(Country).max(250).default(['UZ']),
  /** Spent on paid messages in one UTC day, in 10^-6 USD: 20 USD by default, what a small service uses in a month. */
  sms_daily_budget_micros: z.int().min(0).default(20_000_000),
  /** Of that, what requests with a publishable key may use up: half, so that strangers never empty what services need. */
  publishable_budget_percent: z.int().min(0).max(100).default(50),
  /** Sends to one destination in an hour. */
  sends_per_hour: z.int().min(1).max(100).default(5),
  /** Requests a minute with one key. */
  requests_per_minute: z.int().min(1).max(10_000_000).default(6_000),
});
export type ProjectSettings = z.infer<typeof ProjectSettings>;
