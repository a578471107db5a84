import { type Module, moduleOf, type Node } from './modules.ts';

/** What only a running process knows: an argument, a row, a setting. */
export const UNKNOWN = Symbol('unknown');

interface Closure {
  readonly closure: Node;
  readonly scope: Scope;
}
export type Value =
  | string
  | number
  | boolean
  | null
  | undefined
  | typeof UNKNOWN
  | Closure
  | readonly Value[]
  | { readonly [name: string]: Value };

export interface Scope {
  readonly module: Module;
  readonly locals: ReadonlyMap<string, Value>;
}

/** Deeper than any text of SQL here is built. */
const DEPTH_MAX = 60;

/** The value of an expression, as far as the source alone tells it: texts of SQL are constants and templates of constants. */
export function evaluate(node: Node | null | undefined, scope: Scope, depth = 0): Value {
  if (!node || depth > DEPTH_MAX) return UNKNOWN;
  const of = (child: Node | null | undefined) => evaluate(child, scope, depth + 1);
  switch (node.type) {
    case 'Literal':
      return node.value as Value;
    case 'Identifier':
      return named(node.name ?? '', scope, depth);
    case 'TemplateLiteral':
      return template(node, (node.expressions ?? []).map(of));
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'ParenthesizedExpression':
    case 'ChainExpression':
      return of(node.expression as Node);
    case 'BinaryExpression':
      return binary(node.operator ?? '', of(node.left), of(node.right));
    case 'LogicalExpression':
      return logical(node.operator ?? '', of(node.left), () => of(node.right));
    case 'ConditionalExpression': {
      const test = of(node.test);
      return test === UNKNOWN ? UNKNOWN : of(test ? node.consequent : node.alternate);
    }
    case 'ArrayExpression':
      return (node.elements ?? []).map(of);
    case 'ObjectExpression':
      return object(node, of);
    case 'MemberExpression':
      return member(of(node.object), node.computed ? of(node.property) : node.property?.name);
    case 'ArrowFunctionExpression':
    case 'FunctionDeclaration':
    case 'FunctionExpression':
      return { closure: node, scope };
    case 'CallExpression':
      return called(node, of, depth);
    default:
      return UNKNOWN;
  }
}

function named(name: string, scope: Scope, depth: number): Value {
  if (name === 'undefined') return undefined;
  if (scope.locals.has(name)) return scope.locals.get(name);
  const own = scope.module.values.get(name);
  if (own) return evaluate(own, { module: scope.module, locals: new Map() }, depth + 1);
  const from = scope.module.imports.get(name);
  return from ? named(from.name, { module: moduleOf(from.path), locals: new Map() }, depth + 1) : UNKNOWN;
}

function template({ quasis = [] }: Node, values: readonly Value[]): Value {
  const parts = quasis.map(({ value }) => value.cooked);
  const texts = values.map((value) => (typeof value === 'number' ? `${value}` : value));
  if (!texts.every((text) => typeof text === 'string')) return UNKNOWN;
  return parts.map((part, index) => part + (texts[index] ?? '')).join('');
}

function binary(operator: string, left: Value, right: Value): Value {
  if (left === UNKNOWN || right === UNKNOWN) return UNKNOWN;
  if (operator === '===') return left === right;
  if (operator === '!==') return left !== right;
  if (operator === '+' && typeof left === 'string' && typeof right === 'string') return left + right;
  if (typeof left !== 'number' || typeof right !== 'number') return UNKNOWN;
  const sums: Readonly<Record<string, number>> = {
    '+': left + right,
    '-': left - right,
    '*': left * right,
    '/': left / right,
  };
  return sums[operator] ?? UNKNOWN;
}

function logical(operator: string, left: Value, right: () => Value): Value {
  if (left === UNKNOWN) return UNKNOWN;
  if (operator === '??') return left ?? right();
  return operator === '&&' ? left && right() : left || right();
}

function object(node: Node, of: (child: Node | null | undefined) => Value): Value {
  const fields: Record<string, Value> = {};
  for (const { type, key, value, argument, computed } of node.properties ?? []) {
    if (type === 'SpreadElement') Object.assign(fields, of(argument));
    else if (!computed) fields[key?.name ?? String(key?.value)] = of(value as Node);
  }
  return fields;
}

function member(on: Value, name: Value): Value {
  if (typeof on !== 'object' || on === null || typeof name !== 'string') return UNKNOWN;
  if (Array.isArray(on)) return UNKNOWN;
  const fields = on as { readonly [field: string]: Value };
  return name in fields ? fields[name] : 'closure' in on ? UNKNOWN : undefined;
}

function called(node: Node, of: (child: Node | null | undefined) => Value, depth: number): Value {
  const args = (node.arguments ?? []).map(of);
  const { callee } = node;
  const on = callee?.type === 'MemberExpression' ? of(callee.object) : undefined;
  if (Array.isArray(on)) {
    const items = on as readonly Value[];
    if (callee?.property?.name === 'map') return items.map((item) => apply(args[0], [item], depth));
    if (callee?.property?.name === 'join')
      return items.every((item) => typeof item === 'string') && typeof args[0] === 'string'
        ? items.join(args[0])
        : UNKNOWN;
  }
  return apply(of(callee), args, depth);
}

function apply(value: Value, args: readonly Value[], depth: number): Value {
  if (typeof value !== 'object' || value === null || !('closure' in value)) return UNKNOWN;
  const { closure, scope } = value as Closure;
  const locals = new Map(scope.locals);
  (closure.params as readonly Node[]).forEach((param, index) => bind(locals, param, args[index]));
  const inside = { module: scope.module, locals };
  const body = closure.body as Node;
  if (body.type !== 'BlockStatement') return evaluate(body, inside, depth + 1);
  for (const statement of body.body as readonly Node[]) {
    for (const { id, init } of statement.declarations ?? [])
      if (id) bind(locals, id, evaluate(init, inside, depth + 1));
    if (statement.type === 'ReturnStatement') return evaluate(statement.argument, inside, depth + 1);
    if (statement.type !== 'VariableDeclaration') return UNKNOWN;
  }
  return UNKNOWN;
}

/** Gives the names of a pattern their values. */
export function bind(locals: Map<string, Value>, pattern: Node, value: Value): void {
  if (pattern.type === 'Identifier') locals.set(pattern.name ?? '', value);
  if (pattern.type === 'AssignmentPattern' && pattern.left)
    bind(locals, pattern.left, value === undefined ? UNKNOWN : value);
  for (const { type, key, value: inner, argument } of pattern.properties ?? []) {
    if (type === 'Property')
      bind(locals, inner as Node, value === UNKNOWN ? UNKNOWN : member(value, key?.name));
    else if (argument) bind(locals, argument, UNKNOWN);
  }
  for (const element of pattern.elements ?? []) if (element) bind(locals, element, UNKNOWN);
}
