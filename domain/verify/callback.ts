import type { JobId } from '../shared/ids.ts';
import type { SmsProvider } from './sms-provider.ts';
import type { DeliveryReport } from './port.ts';

/** Providers that report, by the word in the address of their callbacks. */
export type CallbackName = Exclude<SmsProvider, ListingProvider> | 'telegram-gateway';

/** The address names the attempt, so that a report that overtakes our own commit still finds it (ADR 0008). */
export const callbackPath = (name: CallbackName, jobId: JobId, attempt: number | string) =>
  `/callbacks/${name}/${jobId}/${attempt}`;

/** A provider's callback as it arrived, and what its address says it is about. */
export interface CallbackRequest {
  /** As the provider called it: our public origin, then path and query exactly as received. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Unparsed: signatures are over the bytes. */
  readonly body: Uint8Array;
  /** From the address. */
  readonly jobId: JobId;
  readonly attempt: number;
}

export type CallbackReading =
  | {
      readonly kind: 'report';
      /** The provider's own id of the message, as its answer to `send` gave it. */
      readonly reference: string;
      readonly report: DeliveryReport;
    }
  /** Genuine, and says nothing that changes an attempt. Acknowledge it. */
  | { readonly kind: 'nothing-new' }
  /** Not signed by the provider, signed too long ago, or about another attempt than its address says. */
  | { readonly kind: 'forged' }
  /** Signed, and not in a form that we know. Repeating it would not help. */
  | { readonly kind: 'unreadable' };

/** Reads the callbacks of one provider. Callbacks come at least once and in any order. */
export interface CallbackReader {
  readonly provider: string;
  /**
   * Whether it carries a signature at all, right or wrong, or, where its address is all that proves it, the right one: what carries none is
   * refused before its body is read.
   */
  isSigned(request: Omit<CallbackRequest, 'body'>): boolean;
  read(request: CallbackRequest, now: Date): CallbackReading;
}

/** Providers that report to one address for all messages: a report finds its attempt by the id that we gave the message. */
export type ListingProvider = 'play-mobile';

export interface ListedReport {
  readonly reference: string;
  readonly report: DeliveryReport;
}

export interface ReportList {
  /** As many as there are, whatever they say. */
  readonly entries: number;
  /** Those that tell something. */
  readonly reports: readonly ListedReport[];
  /** How many are in no form that we know; a body that is none counts as one. */
  readonly unreadable: number;
}

/** Reads what a provider reports of many messages at once. */
export interface ReportListReader {
  readonly provider: ListingProvider;
  /** Whether the address carried the right token: else it is refused before its body is read. */
  isProven(token: string): boolean;
  read(body: Uint8Array, now: Date): ReportList;
}
