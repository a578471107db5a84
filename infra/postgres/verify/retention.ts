import { daysBefore, type Retention, TEST_KEPT_DAYS } from '../engine/retention.ts';

/** A budget is a day's; a month and some days of them explain a bill. */
const SPEND_KEPT_DAYS = 40;
/** No limit and no lock looks further back than a day; a second one for clocks and time zones. */
const LIMITS_KEPT_DAYS = 2;

/** Everything that says who the person was. */
const erasePhones = `
update verification set phone = null, client = null, scored_ip = null, scored_device = null, metadata = null, payment = null where id = any(array(
  select id from verification where closed_at < $1 and (phone is not null or client is not null or metadata is not null)
  order by closed_at limit $2))`;

/** The question after its jobs is put so that it is asked of each row, and never becomes a join of both tables. */
const retireVerificationsOf = (whose: string) => `
delete from verification where id = any(array(
  select id from verification v where ${whose} created_at < $1 and state <> 'live' and (select true from job j where j.subject_id = v.id limit 1) is null
  order by created_at limit $2))`;

const retireVerifications = retireVerificationsOf('');

const retireTestVerifications = retireVerificationsOf(`mode = 'test' and`);

/** Why a job's paid message was blocked, as long as the job. */
const retireBlocks = `
delete from risk_block where ctid = any(array(select ctid from risk_block where at < $1 order by at limit $2))`;

/** Forgotten long before; a day tells staff of yesterday. */
const retireTextAnswers = `
delete from sms_text_answer where ctid = any(array(select ctid from sms_text_answer where at < $1 order by at limit $2))`;

const retireSpend = `
delete from paid_spend where ctid = any(array(select ctid from paid_spend where day < $1 order by day limit $2))`;

/**
 * Adds the wrong codes that were tried on a person to each of their devices, whose count is for life. Here and not at the check,
 * which would take longer where there are devices. Destinations before devices, as everybody locks them.
 */
const tellDevices = `
with told as (
  update destination set totp_pending = 0 where ctid = any(array(
    select ctid from destination where totp_pending > 0 and updated_at <= $1 order by address_hash limit $2 for update skip locked))
  returning address_hash, project_id, old.totp_pending tries),
tried as (
  select person_id, sum(tries) tries from (
    select tries, coalesce((select p.person_id from person_phone p where p.address_hash = told.address_hash),
      (select r.person_id from recipient r where r.address_hash = told.address_hash and r.project_id = told.project_id and r.phone is null)) person_id
    from told) each
  where person_id is not null group by person_id),
counted as (
  update device v set totp_failures = v.totp_failures + tried.tries from tried
  where v.person_id = tried.person_id and v.bound_at is not null and v.revoked_at is null)
select from told`;

/** Which rows of each table no longer count. */
const idleSince = {
  // A lock and a limit last a day at the most; wrong codes of a device count until nobody has tried for a year.
  destination: `updated_at < $1 and (locked_at is null or locked_at < $1)
    and (totp_failures = 0 or updated_at < $1 - interval '1 year')`,
  // Only a lock.
  paid_destination: 'locked_at < $1',
  // Halved every six hours.
  sms_score: 'at < $1',
  // Halved each hour: in half a day a hundred have decayed to nothing, and most addresses and devices had one. These are keyed hashes, and
  // no row says whose.
  prefix_score: `at - case when sent < 100 then interval '36 hours' else interval '0' end < $1`,
} as const;

/** Who the person was, verifications, and what limits count. */
export const verifyRetention: Retention = {
  rules: [
    { sql: erasePhones, before: (now, { phoneDays }) => daysBefore(now, phoneDays) },
    { sql: retireVerifications, before: (now, { jobDays }) => daysBefore(now, jobDays) },
    { sql: retireTestVerifications, before: (now) => daysBefore(now, TEST_KEPT_DAYS) },
    { sql: retireBlocks, before: (now, { jobDays }) => daysBefore(now, jobDays) },
    { sql: retireSpend, before: (now) => daysBefore(now, SPEND_KEPT_DAYS) },
    { sql: retireTextAnswers, before: (now) => daysBefore(now, LIMITS_KEPT_DAYS) },
    { sql: tellDevices, before: (now) => now },
  ],
  walks: Object.entries(idleSince).map(([table, isIdle]) => ({
    table,
    isIdle,
    before: (now) => daysBefore(now, LIMITS_KEPT_DAYS),
  })),
};
