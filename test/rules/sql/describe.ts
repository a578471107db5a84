import type pg from 'pg';
import type { Kind } from './row-type.ts';

/** What Postgres would return, told from the prepared statement: it is not run. */
export interface Described {
  readonly columns: ReadonlyMap<string, Kind>;
  /** Why it can't be prepared; null where it can. */
  readonly fault: string | null;
}

interface Field {
  readonly name: string;
  readonly dataTypeID: number;
}
interface Wire {
  parse(message: { name: string; text: string; types: number[] }, more: boolean): void;
  describe(message: { type: 'S'; name: string }, more: boolean): void;
  sync(): void;
}

/** Object ids of `pg_type`, and what pg makes of each by default. What stands in no line may be anything. */
const kinds: Readonly<Record<number, Kind>> = {
  16: 'boolean',
  17: 'Buffer',
  20: 'string',
  21: 'number',
  23: 'number',
  25: 'string',
  700: 'number',
  701: 'number',
  1043: 'string',
  1082: 'Date',
  1114: 'Date',
  1184: 'Date',
  1700: 'string',
  2950: 'string',
};

/** PostgreSQL's extended protocol, Parse and Describe without Bind and Execute: pg has no call for it, and takes whatever submits itself. */
export function describe(client: pg.Client, text: string): Promise<Described> {
  return new Promise((resolve) => {
    let columns: ReadonlyMap<string, Kind> = new Map();
    const submittable = {
      submit(wire: Wire) {
        wire.parse({ name: '', text, types: [] }, true);
        wire.describe({ type: 'S', name: '' }, true);
        wire.sync();
      },
      handleRowDescription({ fields }: { readonly fields: readonly Field[] }) {
        columns = new Map(fields.map(({ name, dataTypeID }) => [name, kinds[dataTypeID] ?? 'any']));
      },
      handleError(error: Error) {
        // pg tells a query that has failed of nothing more.
        resolve({ columns, fault: error.message });
      },
      handleReadyForQuery() {
        resolve({ columns, fault: null });
      },
    };
    client.query(submittable as unknown as pg.Submittable);
  });
}
