import type { BroadcastIntake } from '../../../../domain/message/broadcast/broadcast.ts';
import type { RowGuard } from '../../../../domain/project/port.ts';

/** The intake of messages and pushes within each project's ceilings. */
export const boundedBroadcastIntake = (intake: BroadcastIntake, guard: RowGuard): BroadcastIntake => ({
  accept: (order) =>
    guard.within(
      order.caller,
      order.targets.length,
      () => intake.accept(order),
      (accepted) => (accepted.kind === 'accepted' && !accepted.replayed ? accepted.total : 0),
    ),
});
