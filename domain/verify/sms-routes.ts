import { z } from 'zod';
import type { Cost } from '../job/reply.ts';
import { SmsProvider, smsProviders } from './sms-provider.ts';

/** The currencies in which SMS are billed. */
const currencies = ['UZS', 'USD'] as const;
type SmsCurrency = (typeof currencies)[number];

const MICROS = 1_000_000;
/** `130 UZS`, `0.0125 USD`: of one part, up to six decimals. */
const PRICE = /^(\d{1,6}(?:\.\d{1,6})?) (UZS|USD)$/;

const Price = z
  .string()
  .regex(PRICE, 'expected the price of one part and its currency, such as "130 UZS" or "0.35 USD"')
  .transform((text): Cost => {
    const [, amount = '', currency = ''] = PRICE.exec(text) ?? [];
    return { micros: BigInt(Math.round(Number(amount) * MICROS)), currency };
  });

/** The beginning of a number in E.164: a country, an operator's code, or all numbers where it is empty. */
const Prefix = z
  .string()
  .regex(
    /^(\+[1-9]\d{0,10})?$/,
    'expected the beginning of a number, such as +998 or +99890; empty for all numbers',
  );

/** Whole installations have a few countries of some ten operators each. */
const ROUTES_MAX = 200;
/** A project sorts what its own people use. */
const PROJECT_ROUTES_MAX = 50;

const once = (providers: readonly string[]) => new Set(providers).size === providers.length;

/** `SMS_ROUTES`: which providers carry SMS to which numbers, in their order, and what one part costs. */
export const SmsRoutes = z
  .array(
    z.strictObject({
      prefix: Prefix,
      providers: z
        .array(z.strictObject({ provider: SmsProvider, price: Price }))
        .min(1)
        .max(smsProviders.length)
        .refine((list) => once(list.map(({ provider }) => provider)), 'expected each provider once'),
    }),
  )
  .min(1)
  .max(ROUTES_MAX)
  .refine((routes) => once(routes.map(({ prefix }) => prefix)), 'expected each prefix once');
export type SmsRoutes = z.infer<typeof SmsRoutes>;

/** A project's own order, at the installation's prices. */
export const ProjectSmsRoutes = z
  .array(
    z.strictObject({
      prefix: Prefix,
      providers: z
        .array(SmsProvider)
        .min(1)
        .max(smsProviders.length)
        .refine(once, 'expected each provider once'),
    }),
  )
  .max(PROJECT_ROUTES_MAX)
  .refine((routes) => once(routes.map(({ prefix }) => prefix)), 'expected each prefix once');
type ProjectSmsRoutes = z.infer<typeof ProjectSmsRoutes>;

/**
 * The codes of Uzbekistan's operators: what loses SMS of one often carries those of another, so that each is measured by itself. A
 * number that was ported to another operator counts with its old one.
 */
const operatorsOfUzbekistan = '20 33 50 55 61 65 67 69 71 77 78 79 87 88 90 91 92 93 94 95 97 98 99'.split(
  ' ',
);
/** Above what either aggregator asks of any operator (contracts §5a): a budget stops too early rather than too late. */
const AGGREGATOR_PRICE = '200 UZS';
/** Twilio tells a price only after delivery: above what its dearest usual routes cost. */
const TWILIO_PRICE = '0.35 USD';

/** In Uzbekistan its aggregators first, then Twilio; everywhere else Twilio. */
export const smsRoutesDefault: z.input<typeof SmsRoutes> = [
  ...['', ...operatorsOfUzbekistan].map((code) => ({
    prefix: `+998${code}`,
    providers: [
      { provider: 'eskiz' as const, price: AGGREGATOR_PRICE },
      { provider: 'play-mobile' as const, price: AGGREGATOR_PRICE },
      { provider: 'twilio' as const, price: TWILIO_PRICE },
    ],
  })),
  { prefix: '', providers: [{ provider: 'twilio', price: TWILIO_PRICE }] },
];

/** One provider of a number's route, with the price of one part. */
export interface RoutedProvider {
  readonly provider: SmsProvider;
  readonly price: Cost;
  /** The same in 10^-6 USD, which budgets count. */
  readonly priceMicros: number;
}

/** What an installation has to route SMS by. */
export interface SmsRouting {
  readonly routes: SmsRoutes;
  readonly uzsPerUsd: number;
  /** Those that have an account here. */
  readonly providers: ReadonlySet<SmsProvider>;
}

/** An amount in 10^-6 USD, rounded up. */
export const usdMicros = ({ micros, currency }: Cost, uzsPerUsd: number): number =>
  (currency as SmsCurrency) === 'UZS' ? Math.ceil(Number(micros) / uzsPerUsd) : Number(micros);

/** The longest prefix of a number that has a route of its own: under which its providers are measured. */
export const operatorOf = (phone: string, routes: SmsRoutes): string =>
  longestFirst(phone, routes)[0]?.prefix ?? '';

/**
 * The providers for one number, in the listed order: the project's, else the installation's. A provider's price is that of the longest
 * prefix that lists it; one without a price or an account here is left out.
 */
export function routeOf(
  phone: string,
  { routes, uzsPerUsd, providers }: SmsRouting,
  own: ProjectSmsRoutes,
): readonly RoutedProvider[] {
  const matching = longestFirst(phone, routes);
  const listed =
    longestFirst(phone, own)[0]?.providers ?? matching[0]?.providers.map(({ provider }) => provider) ?? [];
  return listed.flatMap((provider) => {
    const priced = matching.flatMap((route) => route.providers).find((one) => one.provider === provider);
    if (!priced || !providers.has(provider)) return [];
    return [{ provider, price: priced.price, priceMicros: usdMicros(priced.price, uzsPerUsd) }];
  });
}

const longestFirst = <Route extends { readonly prefix: string }>(phone: string, routes: readonly Route[]) =>
  routes
    .filter(({ prefix }) => phone.startsWith(prefix))
    .toSorted((a, b) => b.prefix.length - a.prefix.length);

/** What a route may take for one message of one part, in 10^-6 USD: each provider is tried. */
export const routeMicros = (route: readonly RoutedProvider[]): number =>
  route.reduce((sum, { priceMicros }) => sum + priceMicros, 0);
