import type { Grants } from '../engine/grants.ts';

export const staffGrants: Grants = {
  keys: {
    audit: ['id'],
    staff_passkey: ['credential_id', 'id'],
    staff_proof: ['id', 'nonce', 'staff_id, step'],
  },
  tables: {
    // Its number and its time are the database's.
    audit: { select: 'all', insert: ['staff_id', 'actor', 'action', 'subject', 'detail'] },
    staff: {
      select: 'all',
      insert: 'all',
      update: [
        'failed_logins',
        'locked_until',
        'totp_encrypted',
        'totp_last_step',
        'totp_bound_at',
        'second_factor_failures',
        'disabled_at',
      ],
    },
    staff_browser: {
      select: 'all',
      insert: 'all',
      update: ['failed_logins', 'locked_until', 'second_factor_failures', 'used_at'],
      delete: 'all',
    },
    staff_challenge: { select: 'all', insert: 'all', delete: 'all' },
    staff_passkey: {
      select: 'all',
      insert: 'all',
      update: ['counter', 'name', 'version', 'last_used_at', 'removed_at'],
    },
    // Used by `staff_proof_outcome` alone; its time is the database's.
    staff_proof: {
      select: 'all',
      insert: [
        'id',
        'staff_id',
        'by',
        'step',
        'passkey_id',
        'nonce',
        'assertion',
        'factor_at',
        'binds',
        'binds_hash',
      ],
    },
    staff_recovery_code: { select: 'all', insert: 'all', update: ['used_at'], delete: 'all' },
    staff_session: { select: 'all', insert: 'all', update: ['totp_offer_encrypted'], delete: 'all' },
  },
  // The clock is asked by the trigger of a new proof.
  functions: ['staff_proof_clock', 'staff_proof_outcome'],
};
