import { expect, test } from 'vitest';
import { openRoleGround } from '../role-ground.ts';

const { saidAfter } = await openRoleGround();

test.each([
  [
    'drop trigger ledger_transfer_kept on ledger_transfer',
    'the trigger ledger_transfer_kept on ledger_transfer is not as the migrations made it.',
  ],
  [
    'drop trigger payout_block_moved_phone on person_phone',
    'the trigger payout_block_moved_phone on person_phone is not as the migrations made it.',
  ],
  [
    `drop trigger ledger_book_kept on ledger_book; create trigger ledger_book_kept before delete or truncate or update of project_id on ledger_book for each statement execute function ledger_refuse_change()`,
    'the trigger ledger_book_kept on ledger_book is not',
  ],
  [
    `create or replace function ledger_refuse_change() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$ begin return null; end $$`,
    'the function ledger_refuse_change is not as the migrations made it.',
  ],
  ['alter function ledger_post_all security invoker', 'the function ledger_post_all is not as'],
  ['alter function ledger_post_all reset search_path', 'the function ledger_post_all is not as'],
  [
    'alter table ledger_transfer drop constraint ledger_transfer_project_id_key_key',
    'the unique key ledger_transfer (project_id, key) is gone.',
  ],
  ['alter function ledger_post_all owner to current_user', 'the function ledger_post_all belongs to'],
  ['alter table payout_block owner to current_user', 'the table payout_block belongs to'],
  [
    'alter table payout_block enable row level security',
    'the table payout_block has row level security, which hides rows.',
  ],
  ['alter table payout_block force row level security', 'the table payout_block has row level security'],
  ['alter table ledger_refusal set unlogged', 'the table ledger_refusal is not logged: a crash empties it.'],
])('%s: no process starts', async (sql, said) => {
  expect(await saidAfter(sql)).toContain(`First difference: ${said}`);
});
