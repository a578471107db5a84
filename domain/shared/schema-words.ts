import { z } from 'zod';

/** Values of an enum that are told; longer lists stand in the document. */
const VALUES_SHOWN_MAX = 20;

/**
 * What is wrong with a field, where its schema has no words of its own: what was expected, and what was sent in its place.
 * The pointer beside it says where.
 */
export const plainWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is required: expected ${kindOf(issue.expected)}`
        : `expected ${kindOf(issue.expected)}, and not ${sentOf(issue.input)}`;
    case 'invalid_value':
      return `expected ${oneOf(issue.values)}`;
    case 'too_big':
      return `expected ${issue.exact ? 'exactly' : issue.inclusive === false ? 'less than' : 'at most'} ${amount(issue.maximum, issue.origin)}`;
    case 'too_small':
      return `expected ${issue.exact ? 'exactly' : issue.inclusive === false ? 'more than' : 'at least'} ${amount(issue.minimum, issue.origin)}`;
    case 'invalid_format':
      return formats[issue.format] ?? `expected ${issue.format}`;
    case 'unrecognized_keys':
      return noSuchField(issue.inst);
    case 'invalid_union':
      if (Array.isArray(issue.options)) return `expected ${oneOf(issue.options)}`;
      return 'has none of the forms that are expected here: the reference describes them';
    case 'invalid_key':
    case 'invalid_element':
      return 'holds a name or a value that is not allowed';
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`;
    case 'custom':
      return undefined;
  }
};

const formats: Readonly<Record<string, string>> = {
  datetime: 'expected a time with its offset (RFC 3339), such as 2026-01-15T10:00:00Z',
  date: 'expected a day, such as 2026-01-15',
  uuid: 'expected a UUID, such as 0190a3b5-7c1e-7f3a-9d2b-4f6a8c0e1d2f',
  url: 'expected a URL of a scheme that is allowed here, such as https://example.com/',
  ipv4: 'expected an IP address',
  ipv6: 'expected an IP address',
  email: 'expected an email address',
  // A field whose schema has no words of its own.
  regex: 'expected another form: the reference describes it',
};

const kinds: Readonly<Record<string, string>> = {
  int: 'an integer',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object',
  null: 'null',
};
const kindOf = (expected: string) => kinds[expected] ?? expected;

function sentOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a number';
  return kindOf(typeof value);
}

function oneOf(values: readonly unknown[]): string {
  const shown = values.slice(0, VALUES_SHOWN_MAX).map((value) => JSON.stringify(value));
  return `${shown.length > 1 ? 'one of ' : ''}${shown.join(', ')}${values.length > shown.length ? ', …' : ''}`;
}

function amount(bound: number | bigint, origin: string): string {
  if (origin === 'string') return `${bound} ${bound === 1 ? 'character' : 'characters'}`;
  if (origin === 'array' || origin === 'set') return `${bound} ${bound === 1 ? 'item' : 'items'}`;
  return String(bound);
}

/** Of an object whose names are a list, such as languages, the list is told. */
function noSuchField(inst: unknown): string {
  const names = inst instanceof z.ZodRecord ? [...(inst._zod.def.keyType._zod.values ?? [])] : [];
  return names.length > 0 ? `There is no such field: expected ${oneOf(names)}` : 'There is no such field.';
}

/** A name of a field as long as its sender likes is shown so far. */
const POINTER_CHARACTERS_MAX = 200;

/** `[0].providers[1].price` */
export const byPath = (path: readonly PropertyKey[]): string =>
  path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');

/** What is wrong with one field. */
interface FieldWords {
  /** Where it stands, as `name` tells it. */
  readonly pointer: string;
  readonly detail: string;
}

/** @param name how the place is told: a JSON pointer in a body, a name in a query. */
export function fieldErrors(
  issues: readonly z.core.$ZodIssue[],
  name: (path: readonly PropertyKey[]) => string,
): FieldWords[] {
  const short = (path: readonly PropertyKey[]) => name(path).slice(0, POINTER_CHARACTERS_MAX);
  return issues.flatMap(insideUnion).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          pointer: short([...issue.path, key]),
          detail: issue.message,
        }))
      : [{ pointer: short(issue.path), detail: issue.message }],
  );
}

/** Where one form of a union fits but for something in it, that is told: item 3 of an array, and not the array. */
function insideUnion(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const fitting = issue.errors.filter((form) => form.length > 0 && form.every(({ path }) => path.length > 0));
  const [only] = fitting;
  if (!only || fitting.length > 1) return [issue];
  return only.flatMap((inner) => insideUnion({ ...inner, path: [...issue.path, ...inner.path] }));
}
