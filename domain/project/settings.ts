import { z } from 'zod';
import { Locale, LOCALE_DEFAULT } from '../shared/locale.ts';
import { VISIBLE_LINE } from '../shared/visible-line.ts';

/**
 * What every project may set for itself. Contexts add settings of their own: each writes their schemas in its `settings.ts`,
 * adds their types to `ProjectSettings` there, and `domain/settings.ts` joins the schemas.
 */
export const baseSettings = {
  /** The name a person reads in a message, and where they are asked to approve; the slug where it is absent. */
  display_name: z.string().max(40).regex(VISIBLE_LINE, 'expected one line of visible text').optional().meta({
    description:
      "What people read in messages and where they approve; the slug where it is absent. A name that reads as Navbat's own or as another project's, in whatever letters, is staff's to give.",
  }),
  locale: Locale.default(LOCALE_DEFAULT),
  /** Requests a minute with one key. */
  requests_per_minute: z.int().min(1).max(10_000_000).default(6_000),
};

type BaseSettings = z.infer<z.ZodObject<typeof baseSettings>>;
export interface ProjectSettings extends BaseSettings {}

/** What a setting costs beyond what is usual, such as a text that is billed as more than one SMS. */
export interface SettingWarning {
  /** JSON pointer of the setting. */
  readonly pointer: string;
  readonly segments: number;
  readonly detail: string;
}

/** Settings to change: a value sets one, null gives it back its default, and what is not named stays. */
export const settingsChange = (
  settings: Readonly<Record<string, z.ZodType>>,
): z.ZodType<Record<string, unknown>> =>
  z.strictObject(
    Object.fromEntries(
      Object.entries(settings).map(([name, schema]) => [name, withoutDefault(schema).nullable().optional()]),
    ),
  );

/** An absent setting must stay absent here: its default would reset what was set before. */
function withoutDefault(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodOptional
    ? (schema.unwrap() as z.ZodType)
    : schema;
}

/** What is stored: only what was ever set, so that a new default of the platform reaches old projects. */
export function changedSettings(
  stored: Readonly<Record<string, unknown>>,
  change: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = Object.entries({ ...stored, ...change }).filter(
    ([, value]) => value !== null && value !== undefined,
  );
  return Object.fromEntries(merged);
}
