import type { Forget } from '../../engine/forget.ts';

/** What the person wrote to support, and what they were answered. Asked while the recipient still says who they are. */
export const forgetSupport: Forget = async (tx, { projectId, id }) => {
  await tx.execute(forget, [projectId, id]);
};

const forget = `
delete from support_request r using recipient c
where c.project_id = ? and c.id = ? and r.project_id = c.project_id and r.person_id = c.person_id`;
