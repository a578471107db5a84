import { type Module, moduleOf, type Node } from './modules.ts';

/** What pg makes of a column: `any` where the type says nothing that can be held against it. */
export type Kind = 'string' | 'number' | 'boolean' | 'Date' | 'Buffer' | 'any';
export type Columns = ReadonlyMap<string, Kind>;

const keywords: Readonly<Record<string, Kind>> = {
  TSStringKeyword: 'string',
  TSNumberKeyword: 'number',
  TSBooleanKeyword: 'boolean',
};

/** The columns that a row type asks for; null where it isn't written as fields (a generic, an inferred schema). */
export function columnsOf(type: Node | null | undefined, module: Module): Columns | null {
  if (!type) return null;
  switch (type.type) {
    case 'TSTypeLiteral':
      return fieldsOf((type as { members?: readonly Node[] }).members ?? []);
    case 'TSInterfaceDeclaration':
      return joined([
        ...(type.extends ?? []).map(({ expression }) => typeNamed((expression as Node).name ?? '', module)),
        fieldsOf((type.body as Node).body as readonly Node[]),
      ]);
    case 'TSIntersectionType':
      return joined((type.types ?? []).map((part) => columnsOf(part, module)));
    case 'TSTypeAliasDeclaration':
      return columnsOf(type.typeAnnotation, module);
    case 'TSParenthesizedType':
      return columnsOf(type.typeAnnotation, module);
    case 'TSTypeReference':
      return reference(type, module);
    default:
      return null;
  }
}

const joined = (parts: readonly (Columns | null)[]): Columns =>
  new Map(parts.flatMap((part) => (part ? [...part] : [])));

const fieldsOf = (members: readonly Node[]): Columns =>
  new Map(
    members.flatMap((member) =>
      member.type === 'TSPropertySignature' && member.key?.name && !member.optional
        ? [[member.key.name, kindOf(member.typeAnnotation?.typeAnnotation)] as const]
        : [],
    ),
  );

function kindOf(type: Node | null | undefined): Kind {
  if (!type) return 'any';
  const name = type.typeName?.name;
  if (name === 'Date' || name === 'Buffer') return name;
  if (type.type === 'TSLiteralType') return typeof type.literal?.value === 'string' ? 'string' : 'any';
  if (type.type !== 'TSUnionType') return keywords[type.type] ?? 'any';
  const kinds = new Set((type.types ?? []).filter(({ type }) => type !== 'TSNullKeyword').map(kindOf));
  return kinds.size === 1 ? ([...kinds][0] ?? 'any') : 'any';
}

function typeNamed(name: string, module: Module): Columns | null {
  const own = module.types.get(name);
  if (own) return columnsOf(own, module);
  const from = module.imports.get(name);
  return from ? typeNamed(from.name, moduleOf(from.path)) : null;
}

function reference(type: Node, module: Module): Columns | null {
  const [of, names] = (type.typeArguments?.params ?? []) as readonly Node[];
  const name = type.typeName?.name ?? '';
  if (name !== 'Pick' && name !== 'Omit') return typeNamed(name, module);
  const columns = columnsOf(of, module);
  const chosen = new Set((names?.types ?? (names ? [names] : [])).map(({ literal }) => literal?.value));
  return columns && new Map([...columns].filter(([column]) => chosen.has(column) === (name === 'Pick')));
}
