import { domainToUnicode } from 'node:url';
import { z } from 'zod';
import { Country } from '../shared/country.ts';
import { Channel, channels } from './channel.ts';
import { ProjectSmsRoutes } from './sms-routes.ts';
import { textWarnings } from './text-preview.ts';
import { NewTemplates, Templates } from './text.ts';

/** As browsers read it: Chromium takes these characters alone, and a host of more has no room in an SMS. */
const HOST_CHARACTERS_MAX = 64;
const WebHost = z
  .string()
  .max(HOST_CHARACTERS_MAX)
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/,
    'expected the host of your site in lower case, such as example.com: no https://, port or path, and an international name as xn--…',
  );

/** A label that no name becomes is left as it is: no browser opens such a host. */
const isHostOfAName = (host: string): boolean => !/(?:^|\.)xn--/.test(domainToUnicode(host));
const NewWebHost = WebHost.refine(isHostOfAName, {
  error: 'expected the host of your site: what follows xn-- is no name in punycode (RFC 3492)',
});

/** The first 11 characters of a SHA-256 in base64: https://developers.google.com/identity/sms-retriever/verify. */
const AppHash = z
  .string()
  .regex(
    /^[A-Za-z0-9+/]{11}$/,
    "expected the 11 characters that AppSignatureHelper or the keytool recipe of Google's SMS Retriever gives, such as FA+9qCX9VSu",
  );

/** Every default is the platform's own rule (requirements X1, X4, X15). */
export const verifySettings = {
  /** Tried in this order where a request names none (X1): cheapest first, and SMS last. */
  channels: z.array(Channel).min(1).max(channels.length).default(['push', 'telegram', 'sms']),
  /** The project's own order of SMS providers by the beginning of the number; the installation's where none fits. */
  sms_routes: ProjectSmsRoutes.default([]),
  /** Which provider is tried first follows what is measured, too; else the listed order alone. */
  sms_route_by_measure: z.boolean().default(true),
  templates: Templates.default({}),
  /** The site whose pages may fill the code in off an SMS: its last line says so. */
  sms_web_origin: WebHost.nullable().default(null),
  /** The Android app that may: the hash that Google's SMS Retriever knows it by. */
  sms_app_hash: AppHash.nullable().default(null),
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

/** What a change is held to, where that is more than what is stored. */
export const verifyChanges = { templates: NewTemplates, sms_web_origin: NewWebHost.nullable() };

export const verifyWarnings = (project: string, settings: VerifySettings) => textWarnings(project, settings);
