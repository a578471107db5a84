/** RFC 4180: lines end so. */
const END = '\r\n';

/** A number and nothing more. It stays one, its minus too: of digits alone no formula can be made. */
const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * Where a spreadsheet would begin to read a formula (OWASP, CSV Injection): at the beginning of a cell; and after a semicolon or a tab, since where
 * these separate cells, what follows them is a cell too.
 */
const FORMULA = /(?<=(?:^|[;\t\r\n])["']*)(?=[=+\-@\t\r])/g;

/** A line of a file that people open in a spreadsheet. A text that would be read as a formula gets an apostrophe in front. */
export const csvLine = (cells: readonly (string | bigint | number)[]): string =>
  cells.map((cell) => csvCell(String(cell))).join(',') + END;

function csvCell(text: string): string {
  if (NUMBER.test(text)) return text;
  const safe = text.replaceAll(FORMULA, "'");
  return /[",;\t\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
