import type { TicketDesk } from '../postgres/staff/ops-commands.ts';
import { queueOf, type Queues } from './queues.ts';
import { reissueTickets, wakeTicket } from './entries.ts';

/** What staff decided on a row, brought to its queue. */
export function staffDesk(queues: Queues): TicketDesk {
  return {
    async reissue(rows) {
      const tickets = rows.map(({ id, kind, labels, runAt }) => ({ jobId: id, kind, labels, runAt }));
      await reissueTickets(queues, tickets, new Date());
    },
    promote: (kind, id) => wakeTicket(queues, kind, id),
    async remove(kind, id) {
      // 0 where a worker holds it or nothing is there: both are fine.
      await queueOf(queues, kind).remove(id);
    },
    pause: (kind) => queueOf(queues, kind).pause(),
    resume: (kind) => queueOf(queues, kind).resume(),
  };
}
