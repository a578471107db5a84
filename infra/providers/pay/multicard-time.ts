/** Multicard's times have no zone in them: they are GMT+5, the whole year. */
const ZONE_MS = 18_000_000;
const ZONE = '+05:00';
const FORM = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d/;

/** `2026-11-29 18:00:00`, to the second before. */
export const railTime = (at: Date): string =>
  new Date(at.getTime() + ZONE_MS).toISOString().slice(0, 19).replace('T', ' ');

/** Null where the text is no such time. */
export function fromRailTime(text: string): Date | null {
  const [local] = FORM.exec(text) ?? [];
  const at = local === undefined ? Number.NaN : Date.parse(`${local.replace(' ', 'T')}${ZONE}`);
  return Number.isNaN(at) ? null : new Date(at);
}
