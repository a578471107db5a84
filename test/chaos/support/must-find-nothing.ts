/** Each is a statement that must find nothing once a run has settled. */
export const mustFindNothing: Readonly<Record<string, string>> = {
  'attempts are not numbered 1, 2, 3 …': `
    select j.id from job j left join attempt a on a.job_id = j.id group by j.id
    having count(a.n) <> j.attempts or coalesce(min(a.n), 1) <> 1 or coalesce(max(a.n), 0) <> count(a.n)`,
  'an attempt overlaps an earlier one of its job': `
    select a.job_id id from attempt a join attempt b on b.job_id = a.job_id and b.n = a.n + 1
    where a.closed_at is null or b.opened_at < a.closed_at - interval '50 ms'`,
  'an attempt is open on a finished job': `
    select j.id from job j join attempt a on a.job_id = j.id where a.outcome is null and j.finished_at is not null`,
  'more than one attempt is open': `
    select job_id id from attempt where outcome is null group by job_id having count(*) > 1`,
  'a key has another job in its answer than in the table': `
    select r.key id from request r
    left join job j on j.id = (r.answer->>'jobId')::uuid
    where r.answer->>'kind' = 'accepted' and j.id is null`,
  'a key has two jobs': `
    select min(j.id::text) id from job j join verification v on v.id = j.subject_id
    group by v.metadata->>'key' having count(*) > 1`,
  'a batch is still unpublished': `select id::text id from outbox where published_at is null and at < now() - interval '15 s'`,
  'a job waits for a turn that nobody gives': `
    select id from job where scheduled_at is null and finished_at is null`,
  'a call for a turn has no answer': `select project_id::text id from turn_request`,
  'a key has two messages': `
    select min(id::text) id from broadcast group by kind, coalesce(content->>'text', content->'data'->>'key') having count(*) > 1`,
  'a message has not as many jobs as recipients': `
    select b.id from broadcast b left join job j on j.subject_id = b.id group by b.id having count(j.id) <> b.total`,
  'a message is not finished': `select id from broadcast where finished_at is null`,
  'a finished job told nobody': `
    select j.id from job j left join verification v on v.id = j.subject_id
    where j.finished_at is not null and case j.kind when 'otp-send' then v.callback_url is not null
      else j.kind <> 'webhook' and j.state in ('rejected', 'failed', 'expired') end
    and not exists (
      select from webhook_event e join job w on w.subject_id = e.id and w.kind = 'webhook'
      where e.subject_id = case j.kind when 'otp-send' then j.subject_id else j.id end
        and e.type in ('verification.delivered', 'verification.failed', 'message.failed'))`,
  'a finished message told nobody': `
    select b.id from broadcast b where not exists (
      select from webhook_event e join job w on w.subject_id = e.id and w.kind = 'webhook'
      where e.subject_id = b.id and e.type = 'broadcast.finished')`,
  'a callback ended without a word of why': `
    select id from job where kind = 'webhook' and finished_at is not null and state <> 'completed' and reason is null`,
};
