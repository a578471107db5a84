import { createHash } from 'node:crypto';
import { type LivePart, liveParts } from '../../../../domain/earn/live/port.ts';

/** Which state of each part a client has: what the id of an event says, and what it sends back as the last one that it heard. */
export type Vector = Readonly<Record<LivePart, string>>;

/** No version of a state is written so. */
const NEVER_HEARD = '-';
/** 66 bits: two states of one part of one person are never taken for each other. */
const VERSION_CHARACTERS = 11;

/** Of equal states in whatever process. */
export const versionOf = (text: string): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, VERSION_CHARACTERS);

export const vectorId = (vector: Vector): string => liveParts.map((part) => vector[part]).join('.');

/** What no process has written names no state, and all of them are told. */
export function vectorOf(id: string | null): Vector {
  const versions = (id ?? '').split('.');
  const isWhole = versions.length === liveParts.length;
  return Object.fromEntries(
    liveParts.map((part, n) => [part, (isWhole && versions[n]) || NEVER_HEARD]),
  ) as Record<LivePart, string>;
}
