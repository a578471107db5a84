import { basename, dirname, join, relative } from 'node:path/posix';
import {
  aliases,
  commonFolders,
  contexts,
  exceptions,
  handedIn,
  layers,
  registries,
  sharedByApps,
  wiring,
} from './edges.ts';

/** A lint rule of this house: an import that leads from one place of the tree to another must be in the table of `edges.ts`. */
interface Import {
  readonly source: Source | null;
}
interface Source {
  readonly value?: unknown;
  readonly quasis?: readonly { readonly value: { readonly cooked: string } }[];
}
interface Context {
  readonly cwd: string;
  readonly filename: string;
  report(problem: { readonly node: unknown; readonly message: string }): void;
}

export const allowedEdges = {
  create(context: Context) {
    const from = relative(context.cwd, context.filename);
    if (layerOf(from) === null) return {};
    const look = (node: Import): void => {
      if (node.source === null || node.source === undefined) return;
      const specifier = specifierOf(node.source);
      if (specifier === null)
        return context.report({ node, message: 'An import names its file by one plain text.' });
      if (!specifier.startsWith('.')) return;
      const message = faultOf(from, join(dirname(from), specifier));
      if (message !== null) context.report({ node, message });
    };
    return {
      ImportDeclaration: look,
      ExportNamedDeclaration: look,
      ExportAllDeclaration: look,
      ImportExpression: look,
      TSImportType: look,
    };
  },
};

/** Null where it is put together at run time, so that no rule can tell where it leads. */
function specifierOf({ value, quasis = [] }: Source): string | null {
  if (typeof value === 'string') return value;
  const [only, ...more] = quasis;
  return only && more.length === 0 ? only.value.cooked : null;
}

/** Why this file may not import that one; null where it may. */
function faultOf(from: string, to: string): string | null {
  if (firstOf(to) === 'test') return 'What runs imports no test.';
  if (wiring.some((file) => file.test(from))) return null;
  return layerFault(from, to) ?? contextFault(from, to);
}

const firstOf = (path: string): string => path.split('/', 1)[0] ?? '';

type Layer = keyof typeof layers;
function layerOf(path: string): Layer | null {
  const first = firstOf(path);
  return Object.hasOwn(layers, first) ? (first as Layer) : null;
}

function layerFault(from: string, to: string): string | null {
  const [above, below] = [layerOf(from), layerOf(to)];
  if (above === null || below === null) return null;
  const allowed: readonly Layer[] = layers[above];
  if (!allowed.includes(below))
    return `${above}/ imports ${allowed.join('/ and ')}/ alone; main.ts joins it to ${below}/.`;
  const [app, other] = [from, to].map((path) => path.split('/', 2).join('/'));
  const isOther = below === 'apps' && other !== app && other !== sharedByApps;
  return isOther ? `One app knows nothing of another: what they share is in ${sharedByApps}/.` : null;
}

const isRegistry = (path: string): boolean => registries.some((file) => file.test(path));

/** Where no folder is a context's: `common` if it is listed so, else the folder itself, which is then missing in the table. */
export function contextOf(path: string): string {
  const alias = Object.keys(aliases).find((folder) => path.startsWith(`${folder}/`));
  if (alias !== undefined) return aliases[alias] ?? alias;
  const folder = path
    .split('/')
    .slice(1, -1)
    .find((name) => Object.hasOwn(contexts, name));
  if (folder !== undefined) return folder;
  return commonFolders.has(dirname(path)) ? 'common' : (path.split('/')[1] ?? '');
}

function contextFault(from: string, to: string): string | null {
  const [context, other] = [contextOf(from), isRegistry(to) ? 'registries' : contextOf(to)];
  if (isRegistry(from))
    return isHandedIn(from, to) ? null : `A registry imports ${[...handedIn].join(', ')} of a context alone.`;
  if (context === other || isExcepted(from, other)) return null;
  if (other === 'registries')
    return layerOf(from) === 'domain' ? 'In domain/, a registry comes in as an argument.' : null;
  if (contexts[context]?.uses.includes(other)) return null;
  const isPort = layerOf(to) === 'domain' && basename(to) === 'port.ts';
  return isPort && contexts[context]?.ports.includes(other)
    ? null
    : `${context} imports nothing of ${other} like this: see test/rules/lint/edges.ts.`;
}

const isExcepted = (from: string, other: string): boolean =>
  exceptions.some((one) => one.to === other && isWithin(from, one.from));

const isHandedIn = (from: string, to: string): boolean =>
  layerOf(from) !== 'domain' ||
  isRegistry(to) ||
  handedIn.has(basename(to)) ||
  contexts['common']?.uses.includes(contextOf(to)) === true;

const isWithin = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);
