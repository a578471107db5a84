import type { Forget } from '../engine/forget.ts';

/** Where the person was heard of from, and their words. Their traffic, and what it earned, is a record of money. */
export const forgetEarner: Forget = async (tx, { projectId, id }) => {
  await tx.execute(forget, [projectId, projectId, id, projectId]);
};

const forget = `
select filter_audit_forget(?, r.person_id), traffic_appeal_forget(?, r.person_id) from recipient r
where r.id = ? and r.project_id = ? and r.person_id is not null`;
