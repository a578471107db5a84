/**
 * A lint rule of this house: `new Date()` and `Date()` without an argument read the clock, which `domain/` may not do.
 * The parts of oxlint's plugin shape that it needs are written down here; the tool gives no types for them without a package more.
 */
interface Call {
  readonly callee: { readonly type: string; readonly name?: string };
  readonly arguments: readonly unknown[];
}
interface Context {
  report(problem: { readonly node: unknown; readonly message: string }): void;
}

const readsClock = (node: Call): boolean =>
  node.callee.type === 'Identifier' && node.callee.name === 'Date' && node.arguments.length === 0;

export const noClockRead = {
  create: (context: Context) => {
    const refuse = (node: Call): void => {
      if (readsClock(node)) context.report({ node, message: 'Time comes in as an argument.' });
    };
    return { NewExpression: refuse, CallExpression: refuse };
  },
};
