import type { Forget } from '../../engine/forget.ts';

/** What the person of the recipient called themselves. Money, and what it was paid for, is kept. */
export const forgetEarnerName: Forget = async (tx, { projectId, id }) => {
  await tx.execute(forget, [projectId, id, projectId]);
};

const forget = `
delete from earner where project_id = ? and person_id = (select person_id from recipient where id = ? and project_id = ?)`;
