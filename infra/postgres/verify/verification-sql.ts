/** SQL of what identity asks about verifications. */
export const ofVerifications = {
  isAwaited: (challenge: string): string =>
    `exists (select from verification v where v.id = ${challenge}.verification_id and v.job_id = ${challenge}.job_id and v.state = 'live')`,
  askedBy: (challenge: string): string =>
    `(select v.asked_by from verification v where v.id = ${challenge}.verification_id)`,
  isApproved: (id: string): string =>
    `exists (select from verification v where v.id = ${id} and v.state = 'approved')`,
};
