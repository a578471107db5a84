import type { JobId, ProjectId } from '../shared/ids.ts';
import type { ApprovedTexts, DatedTemplate, ListedTemplate } from './approved-texts.ts';

/** Whether a provider of SMS sends a wording. `unknown`: it was not asked, or too long ago, or its list can't be read in full. */
export const textStates = ['approved', 'not-approved', 'unknown'] as const;
export type TextState = (typeof textStates)[number];

export interface ModeratedText {
  readonly state: TextState;
  /** The provider's own words. */
  readonly said: string | null;
  /** Since when that is known. */
  readonly since: Date | null;
  /** What tells it: its list, or its answer to a message of the project. */
  readonly by: 'list' | 'answer' | null;
}

export interface TemplateList {
  readonly texts: ApprovedTexts;
  /** All of it was read. A list with gaps tells what is approved, and of nothing else that it is not. */
  readonly isWhole: boolean;
  readonly readAt: Date;
  /** When a reading last found another list than the one before. */
  readonly changedAt: Date;
}

/** What a provider answered when a project sent a wording. */
export interface TextAnswer {
  readonly isAccepted: boolean;
  readonly said: string | null;
  /** The first of those that followed each other. */
  readonly since: Date;
  readonly at: Date;
}

/** A text that a project has sent, or would. One project's answers say nothing of another one's texts. */
export interface ProjectText {
  readonly provider: string;
  readonly projectId: ProjectId;
  readonly text: string;
}

/** What is known of the texts that providers of SMS send. */
export interface TextModeration {
  /** Some seconds old at the most. */
  of(sent: ProjectText): Promise<ModeratedText>;
  /** Remembers that it refused this wording, and has its list read again soon. */
  refused(sent: ProjectText, said: string | null): Promise<void>;
  /** Remembers that it took this wording although its list says no. */
  accepted(sent: ProjectText): Promise<void>;
}

export interface ListRead {
  readonly templates: readonly ListedTemplate[];
  /** Entries that can't be read, or have a state that we don't know, or are too many. */
  readonly unread: number;
}
export type ListReading =
  | ({ readonly ok: true } & ListRead)
  | { readonly ok: false; readonly reason: string };

/** What a provider has approved. What was read before counts on for its time where a reading fails. */
export interface TemplateReader {
  readonly provider: string;
  read(): Promise<ListReading>;
}

export interface TemplateLists {
  /** Whether this process is to read the list now: one at a time, each ten minutes. */
  claim(provider: string): Promise<boolean>;
  keep(provider: string, read: ListRead): Promise<void>;
}

/** 1 h: by then a text may have been approved where no list tells of it, and one refused attempt costs nothing but its time. */
export const ANSWER_KEPT_MS = 3_600_000;
/** 1 h: an older list says nothing. It is read every ten minutes. */
export const LIST_KEPT_MS = 3_600_000;
/** One of so many sends asks a provider whose list says no: should we read the list wrongly, it is found out. Each costs one attempt. */
const DOUBTED_OF = 50;

/** By the random end of its UUIDv7: the same at each wake-up of one job. */
export const isDoubted = (jobId: JobId): boolean => Number.parseInt(jobId.slice(-8), 16) % DOUBTED_OF === 0;

/** The same for every code: each digit is a mark, so that no code is in it. */
export const wordingOf = (text: string): string => text.replace(/\p{Nd}/gu, '#');

/**
 * What follows for a text. A refusal counts more than the list, unless a text of the list that covers it was approved later: how a
 * provider reads its placeholders is its own affair. So does an acceptance.
 */
export function moderationOf(
  { list, answer }: { readonly list: TemplateList | null; readonly answer: TextAnswer | null },
  text: string,
  now: Date,
): ModeratedText {
  const isKept = (at: Date, keptMs: number) => now.getTime() - at.getTime() < keptMs;
  const fresh = list && isKept(list.readAt, LIST_KEPT_MS) ? list : null;
  const covering = fresh?.texts.covering(text);
  const approved = covering?.approved;
  const told = answer && isKept(answer.at, ANSWER_KEPT_MS) ? answer : null;
  const isRefused = told !== null && !told.isAccepted;
  if (approved && !(isRefused && told.at >= approved.since))
    return { state: 'approved', said: approved.status, since: approved.since, by: 'list' };
  if (told)
    return {
      state: isRefused ? 'not-approved' : 'approved',
      said: told.said,
      since: told.since,
      by: 'answer',
    };
  if (!covering || !fresh?.isWhole) return { state: 'unknown', said: null, since: null, by: null };
  const { waiting } = covering;
  return {
    state: 'not-approved',
    said: waiting?.status ?? null,
    since: waiting?.since ?? fresh.changedAt,
    by: 'list',
  };
}

/** A reading of the list beside the one before: what was there already keeps its time. */
export function listedSince(
  before: readonly DatedTemplate[],
  read: readonly ListedTemplate[],
  now: Date,
): DatedTemplate[] {
  const known = new Map(before.map((each) => [`${each.status} ${each.template}`, each.since]));
  return read.map((each) => ({ ...each, since: known.get(`${each.status} ${each.template}`) ?? now }));
}
