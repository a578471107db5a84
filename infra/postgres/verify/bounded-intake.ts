import type { RowGuard } from '../../../domain/project/port.ts';
import type { OtpIntake } from '../../../domain/verify/intake.ts';

/** The intake of codes within each project's ceilings. */
export const boundedOtpIntake = (intake: OtpIntake, guard: RowGuard): OtpIntake => ({
  accept: (order) =>
    guard.within(
      { projectId: order.caller.projectId, mode: order.command.mode },
      1,
      () => intake.accept(order),
      ({ kind: answer, replayed }) => (answer === 'accepted' && !replayed ? 1 : 0),
    ),
});
