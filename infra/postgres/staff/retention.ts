import type { Retention } from '../engine/retention.ts';

/** Questions that nobody answered in time; proofs and passkeys are evidence, and stay. */
const retireChallenges = `
delete from staff_challenge where challenge = any(array(
  select challenge from staff_challenge where expires_at < $1 order by expires_at limit $2))`;

export const staffRetention: Retention = {
  rules: [{ sql: retireChallenges, before: (now) => now }],
};
