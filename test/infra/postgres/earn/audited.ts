import type { NoteChange } from '../../../../infra/postgres/earn/note-change.ts';
import { writeAudit } from '../../../../infra/postgres/staff/audit.ts';

/** As the api's wire has it. */
export const noteChange: NoteChange = (tx, { did, ...change }) =>
  writeAudit(tx, { ...change, detail: { did } });
