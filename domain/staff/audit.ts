import { z } from 'zod';
import type { StaffAction } from './role-actions.ts';
import type { StaffMember } from './port.ts';

/** What the command line does, whose members of staff are known by their words. */
export type CommandLineAction =
  | 'project.create'
  | 'project.set'
  | 'project.ceilings'
  | 'project.archive'
  | 'key.create'
  | 'key.change'
  | 'key.revoke'
  | 'staff.create'
  | 'staff.disable'
  | 'staff.reset-second-factor'
  | 'staff.unlock'
  // A phone of theirs, to which they approve no payment.
  | 'staff.phone'
  | 'secrets.re-encrypt'
  | 'device.rotate'
  | 'chat.open'
  // The first price of a MB in a sandbox.
  | 'price.seed';

/** What leaves a row: every command that changes something, done or refused, and every login. */
export type AuditAction =
  | StaffAction
  | CommandLineAction
  // Done is a full session; a right password alone is a `login.password`.
  | 'login'
  | 'login.password'
  | 'login.second-factor'
  | 'logout'
  | 'second-factor.set-up'
  | 'second-factor.new-codes'
  | 'proof.make'
  | 'passkey.register'
  | 'passkey.rename'
  | 'passkey.remove'
  // By a project's key: what passes people's preferences.
  | 'message.critical'
  | 'board.refused'
  | 'request.refused';

/** `by` is the person, or words for a row that no session stands behind (an address, a command line). */
export interface AuditEntry {
  readonly by: StaffMember | string;
  readonly action: AuditAction;
  /** What it was done to: a job's id, a kind, an email. */
  readonly subject: string;
  /** How it ended and with what. Never a secret, never a whole phone number. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The rows of what somebody does, by how it ended. They are written in its commit: neither stands without the other. */
export type Audits<Result> = (result: Result) => readonly AuditEntry[];

export const AuditLine = z.object({
  id: z.string(),
  at: z.date(),
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
});
export type AuditLine = z.infer<typeof AuditLine>;

export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
}

export interface AuditLog {
  /** The time of it is the database's. */
  write(entry: AuditEntry): Promise<void>;
  /** Newest first; `after` is the id of the last line seen. */
  page(filter: AuditFilter, limit: number, after: string | null): Promise<readonly AuditLine[]>;
}
