import { badText } from '../../domain/shared/bad-text.ts';

/** Looks for such a text anywhere in a parsed JSON document, whose depth is bounded, names of members too. */
export function findBadText(value: unknown, pointer = ''): { pointer: string; detail: string } | null {
  if (typeof value === 'string') return fault(pointer, badText(value));
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, item] of Object.entries(value)) {
    const badName = badText(name);
    // The name itself can't stand in the answer, so its parent does.
    if (badName) return { pointer, detail: `a member's name ${badName}` };
    const found = findBadText(item, `${pointer}/${escapePointer(name)}`);
    if (found) return found;
  }
  return null;
}

/** RFC 6901 §3. */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

const fault = (pointer: string, detail: string | null) => (detail === null ? null : { pointer, detail });
