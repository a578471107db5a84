import { escapePointer } from './text.ts';

/** Where in a request a field stands. RFC 6901. */
export const byPointer = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${escapePointer(String(part))}`).join('');
export const byName = (path: readonly PropertyKey[]) => path.join('.');
