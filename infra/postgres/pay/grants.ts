import type { Grants } from '../engine/grants.ts';

/** Read, and post through the functions, which run as the owner: nothing else writes money. */
export const payGrants: Grants = {
  tables: {
    ledger_account: { select: 'all' },
    ledger_block: { select: 'all' },
    ledger_book: { select: 'all' },
    ledger_class: { select: 'all' },
    ledger_day: { select: 'all' },
    ledger_day_sending: { select: 'all' },
    ledger_entry: { select: 'all' },
    ledger_head: { select: 'all' },
    ledger_move: { select: 'all' },
    ledger_refusal: { select: 'all' },
    ledger_transfer: { select: 'all' },
    // Answered by its function alone.
    money_request: { select: 'all', insert: ['project_id', 'person_id', 'key', 'body_hash', 'at'] },
    payout: { select: 'all' },
    payout_action: { select: 'all' },
    payout_batch: { select: 'all' },
    payout_block: { select: 'all' },
    payout_destination: { select: 'all' },
    payout_item: { select: 'all' },
    payout_list: { select: 'all' },
    payout_notice: { select: 'all' },
  },
  functions: [
    // Asked by the checks of `money_request`.
    'answer_holds_card_number',
    'holds_card_number',
    'is_card_number',
    'ledger_book_open',
    'ledger_close',
    'ledger_day_claim',
    'ledger_day_end',
    'ledger_day_sent',
    'ledger_day_write',
    'ledger_open',
    'ledger_post',
    'ledger_post_all',
    // Asked as a request is inserted.
    'ledger_refuse_old_snapshot',
    'money_request_answer',
  ],
};
