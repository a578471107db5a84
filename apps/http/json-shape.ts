/** Containers in one another: deeper than any body of ours. */
const JSON_DEPTH_MAX = 32;
/** Members and items of a whole document: ten times the largest honest request that is not a broadcast. */
export const JSON_PARTS_MAX = 2_000;

/** Of one object: far more than any of ours has. Each that a schema does not know is explained, which costs ten times the reading. */
const JSON_MEMBERS_MAX = 1_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Looks over a JSON text before anything is built from it: one pass over its bytes, which need not be valid JSON.
 * Every member has a colon and every further item a comma, so that both together bound what a parser would build.
 *
 * @returns what is wrong with its shape, or null.
 */
export function shapeFault(json: Uint8Array, partsMax: number): string | null {
  let depth = 0;
  let parts = 0;
  const members = new Uint32Array(JSON_DEPTH_MAX + 1);
  for (let at = 0; at < json.length; at += 1) {
    switch (json[at] ?? 0) {
      case QUOTE:
        at = endOfString(json, at);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        depth += 1;
        if (depth > JSON_DEPTH_MAX) return `may not be nested deeper than ${JSON_DEPTH_MAX}`;
        members[depth] = 0;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth -= 1;
        break;
      case COMMA:
      case COLON:
        parts += 1;
        if (parts > partsMax) return `may not hold more than ${partsMax} members and items`;
        if (json[at] === COLON && manyMembers(members, depth))
          return `may not hold an object of more than ${JSON_MEMBERS_MAX} members`;
        break;
    }
  }
  return null;
}

/** Counts one more; a text that closes more than it opened is no JSON, and the parser says so. */
function manyMembers(members: Uint32Array, depth: number): boolean {
  const had = members[depth];
  if (had === undefined) return false;
  members[depth] = had + 1;
  return had >= JSON_MEMBERS_MAX;
}

/** Where the string that begins at `start` ends, or the end of the text. */
function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
