import type { Forget } from '../engine/forget.ts';

/** Verifications that have ended no longer say whose they were. */
export const forgetVerifications: Forget = async (tx, { addressHash, projectId, id }) => {
  await tx.execute(forget, [addressHash, projectId, id]);
};

const forget = `
update verification set phone = null, client = null, scored_ip = null, scored_device = null, metadata = null
where ((address_hash = ? and project_id = ?) or recipient_id = ?) and state <> 'live'`;
