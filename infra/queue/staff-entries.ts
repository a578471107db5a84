import type { StaffEntries } from '../postgres/staff/ops-commands.ts';
import { queueOf, type Queues } from './queues.ts';
import { reissueEntries, wakeEntry } from './entries.ts';

/** What staff decided on a row, brought to its queue. */
export function staffEntries(queues: Queues, clock: () => Date): StaffEntries {
  return {
    async reissue(rows) {
      const entries = rows.map(({ id, kind, labels, runAt }) => ({ jobId: id, kind, labels, runAt }));
      await reissueEntries(queues, entries, clock());
    },
    promote: (kind, id) => wakeEntry(queues, kind, id),
    async remove(kind, id) {
      // 0 where a worker holds it or nothing is there: both are fine.
      await queueOf(queues, kind).remove(id);
    },
    pause: (kind) => queueOf(queues, kind).pause(),
    resume: (kind) => queueOf(queues, kind).resume(),
  };
}
