import { globSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';
import { bind, evaluate, type Scope, UNKNOWN, type Value } from './evaluate.ts';
import { type Module, moduleOf, type Node } from './modules.ts';
import { type Columns, columnsOf } from './row-type.ts';

export interface Statement {
  /** File and line. */
  readonly at: string;
  readonly text: string;
  /** What the row type at the call asks for; null where the call names none. */
  readonly columns: Columns | null;
}

const root = resolve(import.meta.dirname, '../../..');
/** Of pg, and of MikroORM's connections. */
const senders = new Set(['query', 'execute']);
const SQL = /^\s*(with|select|insert|update|delete)\b/i;

/**
 * Every statement that `infra/postgres` sends by `query` or `execute`, read from the source, and every constant of a module that is one.
 * `unread`: calls whose text only a running process knows.
 */
export function statementsOfTree(): { readonly statements: Statement[]; readonly unread: string[] } {
  const statements: Statement[] = [];
  const unread: string[] = [];
  for (const path of sources()) {
    const module = moduleOf(resolve(root, path));
    const calls = callsIn(module);
    for (const { node, text } of calls) {
      const at = placeOf(module, node);
      if (text === null) unread.push(relative(root, module.path));
      else if (SQL.test(text)) statements.push({ at, text, columns: columnsOf(rowTypeOf(node), module) });
    }
    const seen = new Set(calls.map(({ text }) => text));
    for (const [name, node] of module.values)
      for (const text of textsIn(evaluate(node, { module, locals: new Map() })))
        if (SQL.test(text) && !seen.has(text))
          statements.push({ at: `${relative(root, module.path)}#${name}`, text, columns: null });
  }
  return { statements, unread };
}

const sources = (): readonly string[] =>
  globSync('infra/postgres/**/*.ts', { cwd: root })
    .filter((path) => !path.includes('/migrations/'))
    .toSorted();

/** Every string there is, and every piece of a template between its expressions: whole statements and fragments alike. */
export const textsOfTree = (): readonly { readonly path: string; readonly text: string }[] =>
  sources().flatMap((path) =>
    textsOfSource(path, readFileSync(resolve(root, path), 'utf8')).map((text) => ({ path, text })),
  );

export function textsOfSource(path: string, source: string): string[] {
  const texts: string[] = [];
  const walk = (node: Node): void => {
    if (node.type === 'Literal' && typeof node.value === 'string') texts.push(node.value);
    for (const { value } of node.quasis ?? []) texts.push(value.cooked);
    for (const child of childrenOf(node)) walk(child);
  };
  walk(parseSync(path, source).program as unknown as Node);
  return texts;
}

const rowTypeOf = (call: Node): Node | undefined =>
  (call.typeArguments?.params as readonly Node[] | undefined)?.[0];

function placeOf(module: Module, node: Node): string {
  const line = module.text.slice(0, node.start).split('\n').length;
  return `${relative(root, module.path)}:${line}`;
}

interface Call {
  readonly node: Node;
  readonly text: string | null;
}

/** Names that a function declares are known by the expressions they are given; its arguments aren't. */
function callsIn(module: Module): Call[] {
  const calls: Call[] = [];
  const walk = (node: Node, scope: Scope): void => {
    let inside = scope;
    if (node.params && Array.isArray(node.params) && node.body) inside = scopeOf(node, scope);
    if (node.type === 'VariableDeclarator' && node.id && scope.locals.size > 0)
      bind(scope.locals as Map<string, Value>, node.id, evaluate(node.init, scope));
    const name = node.callee?.property?.name;
    if (node.type === 'CallExpression' && name && senders.has(name)) {
      const text = textOf(evaluate(node.arguments?.[0], scope));
      calls.push({ node, text: name === 'execute' && text !== null ? numbered(text) : text });
    }
    for (const child of childrenOf(node)) walk(child, inside);
  };
  walk(module.program, { module, locals: new Map() });
  return calls;
}

const childrenOf = (node: Node): Node[] => {
  const found: Node[] = [];
  for (const child of Object.values(node).flat() as unknown[])
    if (typeof child === 'object' && child !== null && 'type' in child) found.push(child as Node);
  return found;
};

function scopeOf(fn: Node, { module, locals: outer }: Scope): Scope {
  const locals = new Map(outer);
  for (const param of fn.params as readonly Node[]) bind(locals, param, UNKNOWN);
  // So that a scope with no arguments is told from the module's own.
  locals.set('arguments', UNKNOWN);
  return { module, locals };
}

function textOf(value: Value): string | null {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || !('text' in value)) return null;
  const { text } = value as { readonly text: Value };
  return typeof text === 'string' ? text : null;
}

function* textsIn(value: Value): Generator<string> {
  if (typeof value === 'string') yield /\$\d/.test(value) ? value : numbered(value);
  else if (typeof value === 'object' && value !== null && !('closure' in value))
    for (const inner of Object.values(value)) yield* textsIn(inner);
}

/** MikroORM's placeholders as Postgres's own. */
function numbered(text: string): string {
  let n = 0;
  return text.replaceAll(/\?/g, () => `$${(n += 1)}`);
}
