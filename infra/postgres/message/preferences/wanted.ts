import type { NoWork } from '../../../../domain/job/single.ts';
import { decideWishes, type NotWanted, shareOf } from '../../../../domain/message/preferences/decide.ts';
import type { PreferencesLinks } from '../../../../domain/message/preferences/port.ts';
import type { Preferences } from '../../../../domain/message/preferences/preferences.ts';
import type { SingleJobRow } from '../../job/single.ts';

/** What the readers of messages need to know who wants what. */
export interface WantedDeps {
  readonly now: () => Date;
  readonly links: PreferencesLinks;
}

/** Columns of the broadcast `b` of the job `j` by which it is held back; `destination` is the hash of where it goes. */
export const categoryColumns = (destination: string): string => `b.category, b.critical,
  exists (select from message_opt_out o where o.project_id = j.project_id and o.destination_hash = ${destination}) kept_opt_out`;
export interface CategoryColumns {
  /** Null: nothing holds it back. */
  readonly category: string | null;
  readonly critical: boolean | null;
  /** Whoever is there opted out, whether or not a recipient stands for them now. */
  readonly kept_opt_out: boolean;
}

/** Null where the message may be sent now; else why it may not, or until when it waits. */
export function heldBack(
  row: SingleJobRow & CategoryColumns,
  all: readonly Preferences[],
  now: Date,
): NoWork | null {
  if (row.category === null) return null;
  if (row.kept_opt_out) return { settled: 'rejected', reason: 'recipient-opted-out' satisfies NotWanted };
  if (all.length === 0) return null;
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
