import { z } from 'zod';
import type { KeyMode } from './key.ts';
import { Country } from '../shared/country.ts';

/**
 * What bounds a project whatever its own keys set: only staff change it, by `npm run navbat -- project ceilings`. The defaults
 * are what a new project gets unasked. They leave a setting some room above its own default, so that a customer need not write
 * to us at once, and so little that a stolen key costs a known sum a day.
 */
export const ProjectCeilings = z.object({
  sms_daily_budget_micros: z.int().min(0).default(50_000_000).meta({
    description: 'The most that the setting of this name may be, in 10^-6 USD a UTC day.',
  }),
  sends_per_hour: z.int().min(1).max(100).default(10).meta({
    description: 'The most that the setting of this name may be.',
  }),
  requests_per_minute: z.int().min(1).max(10_000_000).default(12_000).meta({
    description: 'The most that the setting of this name may be.',
  }),
  payouts_daily_uzs: z.int().min(0).max(100_000_000_000).default(100_000_000).meta({
    description: 'The most that the setting of this name may be, in UZS a day (Asia/Tashkent) and key.',
  }),
  sms_countries: z
    .array(Country)
    .max(250)
    .default(['UZ'])
    .meta({ description: 'The countries that the setting of this name may hold.' }),
  /** Ten broadcasts of the largest size. */
  rows_queued: z.int().min(0).default(100_000).meta({
    description: 'Jobs that are not finished; calls to webhooks are not counted here.',
  }),
  /** 40 000 codes a day with three callbacks each, for the 30 days that they are kept: some 12 GB. */
  rows_kept: z.int().min(0).default(5_000_000).meta({
    description:
      'Jobs of live keys, calls to webhooks among them, finished or not, for as long as they are kept.',
  }),
  /** Two broadcasts of the largest size, or what a busy test suite makes in a day. */
  test_rows: z.int().min(0).default(20_000).meta({
    description: 'The same of test keys, whose jobs are kept for a day.',
  }),
  people: z.int().min(0).default(500_000).meta({ description: 'Recipients, among them who registered.' }),
});
export type ProjectCeilings = z.infer<typeof ProjectCeilings>;
export type CeilingName = keyof ProjectCeilings;

/** Ceilings to change: a value sets one, null gives it back its default, and what is not named stays. */
export const CeilingsChange: z.ZodType<Record<string, unknown>> = z.strictObject(
  Object.fromEntries(
    Object.entries(ProjectCeilings.shape).map(([name, schema]) => [
      name,
      schema.unwrap().nullable().optional(),
    ]),
  ),
);

const amounts = [
  'sms_daily_budget_micros',
  'sends_per_hour',
  'requests_per_minute',
  'payouts_daily_uzs',
] as const;
/** Settings that a ceiling of the same name bounds. */
export type BoundedSetting = (typeof amounts)[number] | 'sms_countries';

/** Of a project's settings, those that are bounded. Where a product is not there, its own are absent: within every ceiling. */
export interface BoundedSettings {
  readonly requests_per_minute: number;
  readonly sms_daily_budget_micros?: number;
  readonly sends_per_hour?: number;
  readonly payouts_daily_uzs?: number;
  readonly sms_countries?: readonly string[];
}

/** What is stored of a project's settings, and the same with the defaults filled in. */
export interface ReadSettings {
  readonly stored: Readonly<Record<string, unknown>>;
  readonly settings: BoundedSettings;
}

export interface AboveCeiling {
  readonly setting: BoundedSetting;
  readonly ceiling: number | readonly string[];
}

export type SettingsDecision =
  | { readonly kind: 'accepted'; readonly stored: Record<string, unknown> }
  | { readonly kind: 'refused'; readonly above: readonly AboveCeiling[] };

/** May these settings be stored, where `change` is what was asked for? What was not asked for comes down to its ceiling. */
export function withinCeilings(
  given: ReadSettings,
  change: Readonly<Record<string, unknown>>,
  ceilings: ProjectCeilings,
): SettingsDecision {
  const asked = aboveCeilings(given.settings, ceilings).filter(
    ({ setting }) => change[setting] !== undefined && change[setting] !== null,
  );
  return asked.length > 0
    ? { kind: 'refused', above: asked }
    : { kind: 'accepted', stored: loweredSettings(given, ceilings).settings };
}

/** The settings with what is above its ceiling brought down to it, a default of the platform too. */
export function loweredSettings(
  { stored, settings }: ReadSettings,
  ceilings: ProjectCeilings,
): { readonly settings: Record<string, unknown>; readonly lowered: readonly BoundedSetting[] } {
  const lowered = aboveCeilings(settings, ceilings).map(({ setting }) => setting);
  const values = lowered.map((setting) => [setting, loweredTo(setting, settings, ceilings)]);
  return { settings: { ...stored, ...Object.fromEntries(values) }, lowered };
}

function aboveCeilings(settings: BoundedSettings, ceilings: ProjectCeilings): AboveCeiling[] {
  const above: AboveCeiling[] = amounts
    .filter((name) => (settings[name] ?? 0) > ceilings[name])
    .map((name) => ({ setting: name, ceiling: ceilings[name] }));
  const isAllowed = (country: string) => ceilings.sms_countries.includes(country);
  if (!(settings.sms_countries ?? []).every(isAllowed))
    above.push({ setting: 'sms_countries', ceiling: ceilings.sms_countries });
  return above;
}

const loweredTo = (
  setting: BoundedSetting,
  { sms_countries: countries = [] }: BoundedSettings,
  ceilings: ProjectCeilings,
) =>
  setting === 'sms_countries'
    ? countries.filter((country) => ceilings.sms_countries.includes(country))
    : ceilings[setting];

/** What a project has, of what its ceilings count. */
export interface ProjectRows {
  /** Unfinished jobs of live keys, without calls to webhooks: a customer's dead server must not stop its codes. */
  readonly queued: number;
  readonly kept: number;
  readonly test: number;
  readonly people: number;
}

export const NO_ROWS: ProjectRows = { queued: 0, kept: 0, test: 0, people: 0 };

export interface CeilingHit {
  readonly ceiling: CeilingName;
  readonly limit: number;
  readonly used: number;
}

/** Which ceiling is in the way of so many rows more; null for none. */
export function ceilingHit(
  mode: KeyMode,
  rows: number,
  used: ProjectRows,
  ceilings: ProjectCeilings,
): CeilingHit | null {
  const counted: readonly (readonly [CeilingName & ('test_rows' | 'rows_kept' | 'rows_queued'), number])[] =
    mode === 'test'
      ? [['test_rows', used.test]]
      : [
          ['rows_queued', used.queued],
          ['rows_kept', used.kept],
        ];
  for (const [ceiling, has] of counted)
    if (has + rows > ceilings[ceiling]) return { ceiling, limit: ceilings[ceiling], used: has };
  return null;
}

/** Whom to ask, in the words of every refusal that a ceiling makes. */
export const WHO_RAISES =
  'Only staff of Navbat raise it (`navbat project ceilings`): ask the person who gave you your first key.';

export const WHO_NAMES =
  'Only staff of Navbat allow such a name (`navbat project set --look-alike`): ask the person who gave you your first key.';

/** Thrown before anything is written. */
export class CeilingReached extends Error {
  override readonly name = 'CeilingReached';
  readonly hit: CeilingHit;

  constructor(hit: CeilingHit) {
    super(`ceiling ${hit.ceiling} is reached`);
    this.hit = hit;
  }
}
