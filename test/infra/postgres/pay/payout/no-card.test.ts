import { expect, onTestFinished, test } from 'vitest';
import { openGround } from '../../world.ts';

/** Of Uzcard's form, and right by Luhn. */
const CARD = '8600000000000007';

interface Column {
  readonly name: string;
  readonly type: string;
  /** Of the domain, or of the checks that read this column alone. */
  readonly checks: readonly string[];
  readonly column: string;
}

test('no text column of a payout, its batch, list, destination, link or action, of a statement, a difference or a correction takes the number of a card', async () => {
  const ground = await openGround();
  onTestFinished(ground.close);
  const { rows } = await ground.owner.query<Column>(
    `select c.relname || '.' || a.attname as name, a.attname as "column", format_type(a.atttypid, null) as type,
            array(select pg_get_expr(k.conbin, k.conrelid) from pg_constraint k
              where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]) as checks
       from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_type t on t.oid = a.atttypid
      where c.relkind = 'r' and c.relname ~ '^(payout|rail|statement|difference|money_correction)(_|$)' and a.attnum > 0 and not a.attisdropped
        and (t.oid = 'text'::regtype or t.typbasetype = 'text'::regtype) order by 1`,
  );
  expect(rows.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'payout.payee_name',
      'payout_item.phone',
      'statement_line.reference',
      'difference.note',
      'money_correction.reason',
      'payout_action.reason',
      'payout_destination.holder_name',
    ]),
  );
  for (const { name, column, type, checks } of rows) {
    const taken = await ground.owner
      .query<{ taken: boolean }>(
        `select ${['true', ...checks].map((check) => `(${check})`).join(' and ')} as taken from (select $1::${type} as "${column}") given`,
        [CARD],
      )
      .then(
        ({ rows: [row] }) => row?.taken,
        (error: unknown) => (error as { code?: string }).code !== '23514',
      );
    expect(taken, name).toBe(false);
  }
});
