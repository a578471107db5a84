/** Of a link: nobody took it, or its SMS was not delivered. */
export const reachedNobody = (link: string): string => `(${link}.failed_at is not null or exists (
  select from attempt a where a.job_id = ${link}.job_id and a.outcome = 'completed' and a.delivery in ('failed', 'expired')))`;
