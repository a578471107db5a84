import type { NoWork } from '../../../../domain/job/single.ts';
import { decideWishes, shareOf } from '../../../../domain/message/preferences/decide.ts';
import type { PreferencesLinks } from '../../../../domain/message/preferences/port.ts';
import type { Preferences } from '../../../../domain/message/preferences/preferences.ts';
import type { SingleJobRow } from '../../job/single.ts';

/** What the readers of messages need to know who wants what. */
export interface WantedDeps {
  readonly now: () => Date;
  readonly links: PreferencesLinks;
}

/** Columns of the broadcast `b` by which it is held back. */
export const categoryColumns = 'b.category, b.critical';
export interface CategoryColumns {
  /** Null: nothing holds it back. */
  readonly category: string | null;
  readonly critical: boolean | null;
}

/** Null where the message may be sent now; else why it may not, or until when it waits. */
export function heldBack(
  row: SingleJobRow & CategoryColumns,
  all: readonly Preferences[],
  now: Date,
): NoWork | null {
  if (row.category === null || all.length === 0) return null;
  const { id, category, critical, deadline_at: deadlineAt } = row;
  const facts = { category, isCritical: critical === true, deadlineAt, share: shareOf(id) };
  const wish = decideWishes(all, facts, now);
  switch (wish.kind) {
    case 'send':
      return null;
    case 'wait':
      return { postponedTo: wish.until };
    case 'not':
      return { settled: 'rejected', reason: wish.reason };
  }
}
