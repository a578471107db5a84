import type { Settle } from '../job/settle.ts';

/** Nobody tries a payment again from a board: its dispatch decides, and has an approval of its own. */
export const paySettle: Settle = { waitsUntil: () => 'null::timestamptz' };
