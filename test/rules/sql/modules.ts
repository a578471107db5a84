import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';

/** What this reader uses of a node of the syntax tree (ESTree, with TypeScript's nodes). */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly name?: string;
  readonly value?: unknown;
  readonly operator?: string;
  readonly computed?: boolean;
  readonly optional?: boolean;
  readonly body?: Node | readonly Node[];
  readonly id?: Node | null;
  readonly init?: Node | null;
  readonly key?: Node;
  readonly left?: Node;
  readonly right?: Node;
  readonly object?: Node;
  readonly property?: Node;
  readonly callee?: Node;
  readonly arguments?: readonly Node[];
  readonly argument?: Node | null;
  readonly elements?: readonly Node[];
  readonly properties?: readonly Node[];
  readonly params?: readonly Node[] | Node;
  readonly quasis?: readonly { readonly value: { readonly cooked: string } }[];
  readonly expressions?: readonly Node[];
  readonly test?: Node;
  readonly consequent?: Node;
  readonly alternate?: Node | null;
  readonly expression?: Node | boolean;
  readonly declarations?: readonly Node[];
  readonly declaration?: Node | null;
  readonly specifiers?: readonly Node[];
  readonly source?: Node | null;
  readonly local?: Node;
  readonly imported?: Node;
  readonly typeArguments?: Node | null;
  readonly typeAnnotation?: Node | null;
  readonly typeName?: Node;
  readonly types?: readonly Node[];
  readonly literal?: Node;
  readonly extends?: readonly Node[];
}

export interface Module {
  readonly path: string;
  readonly text: string;
  readonly program: Node;
  /** Constants and functions of the module itself. */
  readonly values: ReadonlyMap<string, Node>;
  readonly types: ReadonlyMap<string, Node>;
  readonly imports: ReadonlyMap<string, { readonly path: string; readonly name: string }>;
}

const loaded = new Map<string, Module>();

export function moduleOf(path: string): Module {
  const known = loaded.get(path);
  if (known) return known;
  const text = readFileSync(path, 'utf8');
  const program = parseSync(path, text).program as unknown as Node;
  const values = new Map<string, Node>();
  const types = new Map<string, Node>();
  const imports = new Map<string, { path: string; name: string }>();
  for (const statement of program.body as readonly Node[]) {
    const node = statement.declaration ?? statement;
    if (statement.type === 'ImportDeclaration') noteImports(statement, path, imports);
    if (node.type.startsWith('TS') && node.id?.name) types.set(node.id.name, node);
    if (node.type === 'FunctionDeclaration' && node.id?.name) values.set(node.id.name, node);
    for (const { id, init } of node.declarations ?? []) if (id?.name && init) values.set(id.name, init);
  }
  const module = { path, text, program, values, types, imports };
  loaded.set(path, module);
  return module;
}

function noteImports(
  statement: Node,
  path: string,
  imports: Map<string, { path: string; name: string }>,
): void {
  const from = String(statement.source?.value);
  if (!from.startsWith('.')) return;
  for (const { local, imported } of statement.specifiers ?? [])
    if (local?.name && imported?.name)
      imports.set(local.name, { path: resolve(dirname(path), from), name: imported.name });
}
