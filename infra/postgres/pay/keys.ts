import type { Grants } from '../engine/grants.ts';

/** Of what money is written in: by these keys nothing is posted, asked, paid or booked twice. */
export const payKeys: NonNullable<Grants['keys']> = {
  bank_file: ['batch_id, part', 'dispatch_id'],
  ledger_account: ['id', 'project_id, class, owner, rail'],
  ledger_block: ['project_id, k', 'project_id, n_to'],
  ledger_book: ['project_id'],
  ledger_class: ['class'],
  ledger_day: ['project_id, day'],
  ledger_head: ['project_id'],
  ledger_move: ['kind, debit_class, credit_class'],
  ledger_refusal: ['project_id, key'],
  ledger_transfer: ['project_id, key', 'project_id, n'],
  money_request: ['project_id, person_id, key'],
  payout: ["funder, reference where (source = 'api'::text)", 'id', 'list_id, list_line', 'verification_id'],
  payout_action: ["batch_id, version, staff_id where ((action)::text = 'approve'::text)", 'id', 'proof_id'],
  payout_batch: ['id'],
  payout_block: ['id'],
  payout_dispatch: ['id', 'rail, rail_uuid where (rail_uuid IS NOT NULL)', 'reference'],
  payout_link: ['id', 'job_id', 'payout_id where ((used_at IS NULL) AND (revoked_at IS NULL))', 'token_hash'],
  payout_link_sms_day: ['funder, day'],
  payout_item: ['batch_id, n', "payout_id where (state <> ALL (ARRAY['dropped'::text, 'failed'::text]))"],
  rail_call: ['dispatch_id where (closed_at IS NULL)', 'dispatch_id, n'],
  statement_line: [
    "dispatch_id, payout_id, direction where (bucket = ANY (ARRAY['matched'::text, 'late'::text, 'returned'::text]))",
    'project_id, rail, key',
  ],
};
