/** Where a reason is met. */
export const reasonPlaces = [
  /** The type of a problem answer (RFC 9457). */
  'problem',
  /** Why a job ended as it did. */
  'job',
  /** Why one attempt ended as it did. */
  'attempt',
  /** Why one call of an endpoint failed. */
  'delivery',
  /** Why an endpoint is disabled. */
  'endpoint',
  /** Why nothing is sent to a Telegram chat. */
  'chat',
  /** The member `reason` of a problem. */
  'problem-reason',
] as const;
export type ReasonPlace = (typeof reasonPlaces)[number];

/** Whether the same request, or the same job, can succeed when it is tried again. */
export const retryHelps = ['no', 'later', 'after-change'] as const;
export type RetryHelp = (typeof retryHelps)[number];

/** A time, or its ISO 8601 text where it was stored. */
export type Instant = Date | string;

/** One of the counts that a decision was made of. */
export interface CountedFactor {
  readonly factor: string;
  /** Of the last hours, halved each hour. */
  readonly sent: number;
  readonly verified: number;
  /** What it adds to the risk; 1 blocks. */
  readonly risk: number;
}

/** Why a job's paid message was not sent, as it was decided. */
export interface KeptBlock {
  readonly until: Instant;
  readonly factors: readonly CountedFactor[];
}

/** What is known of the case at hand. A text says less where less is known. */
export interface ReasonFacts {
  /** When it ends by itself. */
  readonly until?: Instant | null | undefined;
  /** A number without its last four digits, such as `+99890111`. */
  readonly prefix?: string | null | undefined;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string | null | undefined;
  /** The setting that decided, where it is another one than the reason's own. */
  readonly setting?: string | undefined;
  /** The value of the setting that decided. */
  readonly limit?: string | number | null | undefined;
  /** What a block was made of. For the project's own eyes: they count what others asked for. */
  readonly factors?: readonly CountedFactor[] | undefined;
}

/** One reason, in plain English, for whoever meets its code. */
export interface Reason {
  /** One or two sentences: what happened. */
  readonly meaning: string;
  readonly retry: RetryHelp;
  /** What to do now. */
  readonly nextStep: string;
  /** The setting of the project, or the variable of the installation, that decided. */
  readonly setting?: string;
  readonly seen: readonly ReasonPlace[];
  /** The meaning, with what is known of the case. */
  readonly detail?: (facts: ReasonFacts) => string;
  /** Of a job that ended for it: until when it holds at the latest, where the row does not tell more. */
  readonly holdsUntil?: (endedAt: Date) => Date;
}

/** `2026-11-28 19:46 UTC`, with its day as nobody knows when it is read. Rounded up: a minute early is too early. */
const minuteText = (at: Instant): string =>
  `${new Date(Math.ceil(new Date(at).getTime() / 60_000) * 60_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** Behind what goes on until then; nothing where that is not known. */
export const untilText = (until: Instant | null | undefined): string =>
  until ? ` until ${minuteText(until)}` : '';

/** Behind what is possible from then on. */
export const fromText = (from: Instant | null | undefined): string =>
  from ? ` from ${minuteText(from)} on` : ' later';

/** Of a catalogue of reasons, the codes that are met in these places. */
export type CodesSeenIn<Catalogue extends Readonly<Record<string, Reason>>, Place extends ReasonPlace> = {
  [Code in keyof Catalogue]: Place extends Catalogue[Code]['seen'][number] ? Code : never;
}[keyof Catalogue];
