/** What the statements of a function touch. A name that is no table or function of ours (a variable, a transition table) is none. */
export interface Names {
  readonly tables: ReadonlySet<string>;
  readonly functions: ReadonlySet<string>;
}

/** One privilege that whoever runs the function needs. `all`: of the whole table; `any`: one column of it is enough. */
export interface Need {
  readonly privilege: 'select' | 'insert' | 'update' | 'delete' | 'execute';
  readonly on: string;
  readonly column: string;
}

/** Read from the source, since `explain` looks into no function. Texts that are put together at run time can't be read: `isDynamic`. */
export function needsOf(source: string, names: Names): readonly Need[] {
  const needs = statementsOf(source).flatMap((text) => [
    ...insertsOf(text),
    ...updatesOf(text),
    ...[...text.matchAll(/\bdelete\s+from\s+(\w+)/g)].map(([, on = '']): Need => ({
      privilege: 'delete',
      on,
      column: 'all',
    })),
    ...readsOf(text),
    ...[...text.matchAll(/\b(\w+)\s*\(/g)].map(([, on = '']): Need => ({
      privilege: 'execute',
      on,
      column: 'all',
    })),
  ]);
  const ours = needs.filter(({ privilege, on }) =>
    (privilege === 'execute' ? names.functions : names.tables).has(on),
  );
  return [...new Map(ours.map((need) => [inWords(need), need])).values()];
}

export const isDynamic = (source: string): boolean =>
  statementsOf(source).some((text) => /\bexecute\b/.test(text));

export const inWords = ({ privilege, on, column }: Need): string =>
  `${privilege}${column === 'all' || column === 'any' ? '' : ` (${column})`} on ${on}`;

/** Without comments and texts, which say anything. */
const statementsOf = (source: string): readonly string[] =>
  source
    .replaceAll(/'(?:[^']|'')*'/g, "''")
    .replaceAll(/--.*/g, '')
    .toLowerCase()
    .split(';');

const words = (list: string): readonly string[] => list.split(',').map((word) => word.trim());

function insertsOf(text: string): readonly Need[] {
  return [...text.matchAll(/\binsert\s+into\s+(\w+)(?:\s+as\s+\w+)?\s*(?:\(([\w\s,]*)\))?/g)].flatMap(
    ({ 1: on = '', 2: columns, index }) => {
      const rest = text.slice(index + 1).split(/\binsert\s+into\b/, 1)[0] ?? '';
      const conflict = /\bon\s+conflict\b/.test(rest) || /\breturning\b/.test(rest);
      const set = /\bdo\s+update\s+set\s+([\s\S]*)/.exec(rest)?.[1];
      return [
        ...(columns === undefined ? ['all'] : words(columns)).map((column): Need => ({
          privilege: 'insert',
          on,
          column,
        })),
        ...(conflict ? [{ privilege: 'select', on, column: 'any' } as const] : []),
        ...(set === undefined ? [] : assigned(on, set)),
      ];
    },
  );
}

function updatesOf(text: string): readonly Need[] {
  return [
    ...text.matchAll(/\bupdate\s+(?!set\b)(\w+)(?:\s+as\s+\w+|\s+(?!set\b)\w+)?\s+set\s+([\s\S]*)/g),
  ].flatMap(([, on = '', set = '']) => assigned(on, set));
}

/** `a = 1, (b, c) = (2, f(3))` up to the clause that follows. */
function assigned(on: string, set: string): readonly Need[] {
  let flat = set;
  // What stands in brackets is a value, but for a list of columns in front of `=`.
  flat = flat.replaceAll(/\(([\w\s,]*)\)\s*=/g, (_all, columns: string) =>
    words(columns)
      .map((column) => `${column} =`)
      .join(' , '),
  );
  for (let before = ''; before !== flat;) {
    before = flat;
    flat = flat.replaceAll(/\([^()]*\)/g, '');
  }
  const [assignments = ''] = flat.split(/\b(?:where|from|returning)\b|\)/, 1);
  return [...assignments.matchAll(/(?:^|,)\s*(\w+)\s*=/g)].map(([, column = '']): Need => ({
    privilege: 'update',
    on,
    column,
  }));
}

/** A list of values reads like one of tables: a word too many is asked for only where a table has the name of a variable. */
function readsOf(text: string): readonly Need[] {
  const read = [...text.matchAll(/(?:\b(?:from|join|using)\s+|,\s*)(\w+)/g)].map(([, on = '']) => on);
  const locks = /\bfor\s+(?:no\s+key\s+update|update|share|key\s+share)\b/.test(text);
  return read.flatMap((on): Need[] => [
    { privilege: 'select', on, column: 'any' },
    ...(locks ? [{ privilege: 'update', on, column: 'any' } as const] : []),
  ]);
}
