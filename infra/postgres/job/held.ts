/** A time that never comes, for rows that wait for a resume; JavaScript has no date for Postgres' `infinity`. */
export const HELD = `timestamptz '9999-12-31 00:00:00+00'`;
