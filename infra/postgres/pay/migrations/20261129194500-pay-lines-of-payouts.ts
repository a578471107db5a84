import { Migration } from '@mikro-orm/migrations';

/** The lines of a payment are found by it: `explain` asks among all lines that there ever were. */
export class Migration20261129194500PayLinesOfPayouts extends Migration {
  override up(): void {
    this.addSql(
      'create index statement_line_payout on statement_line (payout_id) where payout_id is not null; create index difference_dispatch on difference (dispatch_id) where dispatch_id is not null',
    );
  }
}
