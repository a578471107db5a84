import { daysBefore, type Retention } from '../engine/retention.ts';

/** As the functions that delete them: none is taken that is younger, whoever asks. */
const ADDRESSES_KEPT_DAYS = 40;
const AUDITS_KEPT_DAYS = 90;

/** Where people were heard of from. What was metered, decided and paid is money, and stays; reports leave with their partitions. */
export const earnRetention: Retention = {
  rules: [
    {
      sql: 'select from session_address_retire($1, $2)',
      before: (now) => daysBefore(now, ADDRESSES_KEPT_DAYS),
    },
    { sql: 'select from filter_audit_retire($1, $2)', before: (now) => daysBefore(now, AUDITS_KEPT_DAYS) },
  ],
};
