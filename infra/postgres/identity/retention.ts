import { NOTICE_AGE_MAX_MS } from '../../../domain/identity/approval/notice.ts';
import { daysBefore, type Retention } from '../engine/retention.ts';

/** What tells a device of its end was handed over long before, but for an outage. */
const REVOKED_ADDRESS_KEPT_MS = 3_600_000;

/** Whatever ended them: until then it shows how a person's sessions went. */
const retireSessions = `
delete from session where id = any(array(select id from session where expires_at < $1 order by expires_at limit $2))`;

/** What became of a token is the device's to tell. */
const retireEnrolments = `
delete from enrolment where ctid = any(array(select ctid from enrolment where expires_at < $1 order by expires_at limit $2))`;

/** What was signed stays in `approval`. */
const retireChallenges = `
delete from challenge where id = any(array(select id from challenge where expires_at < $1 order by expires_at limit $2))`;

const retireNotices = `
delete from person_notice where id = any(array(
  select id from person_notice where announced_at is not null and announced_at < $1 order by announced_at limit $2))`;

/** Where no process sends notices. */
const retirePendingNotices = `
delete from person_notice where id = any(array(
  select id from person_notice where announced_at is null and at < $1 order by at limit $2))`;

/** Devices that never proved themselves, with the address that waited for their pushes. */
const retireUnconfirmed = `
with gone as (
  delete from device where id = any(array(
    select id from device where bound_at is null and confirm_until < $1 order by confirm_until limit $2 for update skip locked))
  returning recipient_id),
addresses as (delete from recipient where id = any(array(select recipient_id from gone)))
select from gone`;

/** Where a revoked device could be told so. */
const forgetAddresses = `
delete from recipient where id = any(array(
  select recipient_id from device where revoked_at < $1 and recipient_id is not null order by revoked_at limit $2))`;

/** A secret that was replaced, once no code of it can be on its way any more. */
const forgetPreviousSecrets = `
update device set totp_previous_encrypted = null, totp_previous_until = null where id = any(array(
  select id from device where totp_previous_encrypted is not null and totp_previous_until < $1 order by totp_previous_until limit $2
  for update skip locked))`;

/** Sessions, enrolments, challenges, notices and devices that have ended. */
export const identityRetention: Retention = {
  rules: [
    { sql: retireSessions, before: (now, { jobDays }) => daysBefore(now, jobDays) },
    { sql: retireEnrolments, before: (now) => now },
    { sql: retireChallenges, before: (now, { jobDays }) => daysBefore(now, jobDays) },
    { sql: retireNotices, before: (now, { jobDays }) => daysBefore(now, jobDays) },
    {
      sql: retirePendingNotices,
      before: (now, { jobDays }) =>
        new Date(Math.min(daysBefore(now, jobDays).getTime(), now.getTime() - NOTICE_AGE_MAX_MS)),
    },
    { sql: retireUnconfirmed, before: (now) => now },
    { sql: forgetAddresses, before: (now) => new Date(now.getTime() - REVOKED_ADDRESS_KEPT_MS) },
    { sql: forgetPreviousSecrets, before: (now) => now },
  ],
};
