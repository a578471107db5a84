/** Comments are read by nobody who shows the file. */
export const withoutComments = (xml: string): string => xml.replaceAll(/<!--[\s\S]*?(?:-->|$)/g, '');

/** Of a tag of XML, as it is written. */
export const attribute = (tag: string, name: string): string | null =>
  new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`)
    .exec(tag)
    ?.slice(1)
    .find((each) => each !== undefined) ?? null;

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Of an attribute of a file that was read byte by byte (latin1), which is UTF-8. */
export const plainText = (value: string): string =>
  Buffer.from(value, 'latin1')
    .toString('utf8')
    .replaceAll(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w{2,4}));/gi, (whole, hex, decimal, name) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    });

/** A number that may be written with entities; null where there is none. */
export function numberOf(tag: string, name: string): number | null {
  const value = attribute(tag, name);
  return value === null ? null : Number(/^\d+$/.test(value) ? value : plainText(value));
}
