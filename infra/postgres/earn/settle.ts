import type { Settle } from '../job/settle.ts';

/** Nobody tries one again from a board: housekeeping does, for as long as reports of the session wait. */
export const earnSettle: Settle = { waitsUntil: () => 'null::timestamptz' };
