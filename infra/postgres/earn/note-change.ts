import type pg from 'pg';
import type { StaffAction, StaffMember } from '../../../domain/staff/port.ts';

/** What a member of staff did, for the audit. */
export interface StaffChange {
  readonly by: StaffMember;
  readonly action: StaffAction;
  /** To what: its id. */
  readonly subject: string;
  readonly did: string;
}

/** Writes it in the transaction of what was done: neither stands without the other. */
export type NoteChange = (tx: pg.PoolClient, change: StaffChange) => Promise<unknown>;
