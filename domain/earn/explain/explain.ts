import { z } from 'zod';
import type { ChainProof } from '../../pay/explain/explain.ts';

/** In the order in which it happens: the session, what was said of it, what it earns, who decided, and the book. */
export const TRAFFIC_PARTS = ['session', 'reports', 'days', 'hands', 'money'] as const;
export type TrafficPart = (typeof TRAFFIC_PARTS)[number];

/** One row of the database that says something of a day of traffic. */
export interface ExplainedTraffic {
  readonly part: TrafficPart;
  readonly table: string;
  /** What it is selected by. */
  readonly key: Readonly<Record<string, string | number>>;
  readonly at: Date | null;
  readonly says: string;
  /** Of a transfer. Null: it is in no block yet. */
  readonly chain?: ChainProof | null;
}

export interface TrafficExplanation {
  readonly sessions: readonly string[];
  /** The person shared in more sessions on the day than are shown. */
  readonly more: boolean;
  readonly rows: readonly ExplainedTraffic[];
}

/** What traffic is named by: a session, with all its days; or a person on a day of Tashkent. */
export type TrafficName =
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'day'; readonly person: string; readonly day: string };

const DAY = /^([0-9a-f-]{36}):(\d{4}-\d{2}-\d{2})$/i;

/** Null where the text has the form of neither. */
export function trafficName(text: string): TrafficName | null {
  const [, person = '', day = ''] = DAY.exec(text) ?? [];
  if (z.uuid().safeParse(person).success && z.iso.date().safeParse(day).success)
    return { kind: 'day', person, day };
  return z.uuid().safeParse(text).success ? { kind: 'session', id: text } : null;
}
