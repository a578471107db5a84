import { matchesTemplate } from '../shared/moderated-template.ts';

/** Whether a provider of SMS sends a wording. `unknown`: it was not asked, or too long ago. */
export const textStates = ['approved', 'not-approved', 'unknown'] as const;
export type TextState = (typeof textStates)[number];

export interface ModeratedText {
  readonly state: TextState;
  /** The provider's own words. */
  readonly said: string | null;
  /** Since when that is known. */
  readonly since: Date | null;
}

/** One text of a provider's list, as it was read. */
export interface ListedTemplate {
  readonly template: string;
  readonly isApproved: boolean;
  /** The provider's word for its state. */
  readonly status: string;
}

export interface TemplateList {
  readonly templates: readonly (ListedTemplate & { readonly since: Date })[];
  readonly readAt: Date;
  /** When a reading last found another list than the one before. */
  readonly changedAt: Date;
}

export interface RefusedText {
  readonly said: string | null;
  /** The first refusal of those that followed each other. */
  readonly since: Date;
  readonly at: Date;
}

/** What is known of the texts that providers of SMS send. */
export interface TextModeration {
  /** Some seconds old at the most. */
  of(provider: string, text: string): Promise<ModeratedText>;
  /** Remembers that it refused this wording, and has its list read again soon. */
  refused(provider: string, text: string, said: string | null): Promise<void>;
}

export type ListReading =
  | { readonly ok: true; readonly templates: readonly ListedTemplate[] }
  | { readonly ok: false; readonly reason: string };

/** What a provider has approved. What was read before counts on for its time where a reading fails. */
export interface TemplateReader {
  readonly provider: string;
  read(): Promise<ListReading>;
}

export interface TemplateLists {
  /** Whether this process is to read the list now: one at a time, each ten minutes. */
  claim(provider: string): Promise<boolean>;
  keep(provider: string, read: readonly ListedTemplate[]): Promise<void>;
}

/** 1 h: by then a text may have been approved where no list tells of it, and one refused attempt costs nothing but its time. */
export const REFUSAL_KEPT_MS = 3_600_000;
/** 1 h: an older list says nothing. It is read every ten minutes. */
export const LIST_KEPT_MS = 3_600_000;

/** The same for every code, amount and number of minutes: all numbers are one mark, so that no code is in it. */
export const wordingOf = (text: string): string => text.replace(/\p{Nd}+/gu, '#');

/**
 * What follows for a text. A refusal counts more than the list, unless a text of the list that covers it was approved later: how a
 * provider reads its placeholders is its own affair.
 */
export function moderationOf(
  { list, refusal }: { readonly list: TemplateList | null; readonly refusal: RefusedText | null },
  text: string,
  now: Date,
): ModeratedText {
  const isKept = (at: Date, keptMs: number) => now.getTime() - at.getTime() < keptMs;
  const fresh = list && isKept(list.readAt, LIST_KEPT_MS) ? list : null;
  const covering = fresh?.templates.filter(({ template }) => matchesTemplate(template, text)) ?? [];
  const approved = covering.find(({ isApproved }) => isApproved);
  const refused = refusal && isKept(refusal.at, REFUSAL_KEPT_MS) ? refusal : null;
  if (approved && !(refused && refused.at >= approved.since))
    return { state: 'approved', said: approved.status, since: approved.since };
  if (refused) return { state: 'not-approved', said: refused.said, since: refused.since };
  if (!fresh) return { state: 'unknown', said: null, since: null };
  const [waiting] = covering;
  return {
    state: 'not-approved',
    said: waiting?.status ?? null,
    since: waiting?.since ?? fresh.changedAt,
  };
}

/** A reading of the list beside the one before: what was there already keeps its time. */
export function listedSince(
  before: TemplateList | null,
  read: readonly ListedTemplate[],
  now: Date,
): TemplateList['templates'] {
  const known = new Map(before?.templates.map((each) => [`${each.status} ${each.template}`, each.since]));
  return read.map((each) => ({ ...each, since: known.get(`${each.status} ${each.template}`) ?? now }));
}
