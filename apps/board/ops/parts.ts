import type { JobRegistry } from '../../../domain/job/define-job.ts';
import type { AuditLog } from '../../../domain/staff/audit.ts';
import type { StaffCommands } from '../../../domain/staff/command.ts';
import type { AddressHash, StaffQueries } from '../../../domain/staff/ops.ts';
import type { StaffChats } from '../../../domain/telegram/chat.ts';
import type { Phone } from '../../../domain/shared/phone.ts';

/** What the pages under `/ops` ask of the world. */
export interface OpsParts {
  readonly jobs: JobRegistry;
  readonly queries: StaffQueries;
  readonly commands: StaffCommands;
  readonly audit: AuditLog;
  readonly chats: Pick<StaffChats, 'unreachable'>;
  readonly clock: () => Date;
  /** A number's keyed hash, in hex: how everything of one person is found without keeping their number anywhere. */
  readonly addressOf: (phone: Phone) => AddressHash;
}

/** Lines of one page: what fits on a screen or two. */
export const PAGE_LINES = 50;
/** What a program may ask for at once. */
export const PAGE_LINES_MAX = 200;
