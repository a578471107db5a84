/** A layer of a router of Express 5, as far as it tells where it stands. */
interface Layer {
  readonly rawPath: unknown;
  readonly name: string;
  readonly handle: { readonly length: number; readonly stack?: readonly Layer[]; readonly router?: Stacked };
  readonly route?: { readonly path: unknown; readonly stack: readonly { readonly method?: string }[] };
}
interface Stacked {
  readonly stack: readonly Layer[];
}

/**
 * Every route that an Express app has, as `GET /otp/:id`, found in its own stacks, in routers and apps mounted in it too. What answers every
 * other method of a path is `ALL /path`, files are `GET /path/*file`, and what else is mounted at a path and may answer there `USE /path`.
 */
export function routesOf(app: unknown): string[] {
  return [...new Set(walk((app as { router: Stacked }).router.stack, ''))];
}

const walk = (stack: readonly Layer[], at: string): string[] =>
  stack.flatMap((layer) => {
    if (layer.route) return routeOf(layer.route, at);
    const inner = layer.handle.stack ?? layer.handle.router?.stack;
    const path = join(at, layer.rawPath);
    if (inner) return walk(inner, path);
    if (layer.name === 'serveStatic') return [`GET ${join(path, '/*file')}`];
    // Four parameters: it hears of errors only. At the root stands what passes on, which the walk's unknown path sees.
    const isPassing = layer.handle.length === 4 || layer.rawPath === '/';
    return isPassing ? [] : [`USE ${path}`];
  });

const routeOf = ({ path, stack }: NonNullable<Layer['route']>, at: string): string[] =>
  [path]
    .flat()
    .flatMap((one) => stack.map(({ method }) => `${method?.toUpperCase() ?? 'ALL'} ${join(at, one)}`));

/** `/ops` and `/` are `/ops`. */
function join(at: string, path: unknown): string {
  const joined = `${at}/${String(path)}`.replaceAll(/\/+/g, '/');
  return joined.length > 1 ? joined.replace(/\/$/, '') : joined;
}

/** A route, whatever its parameters are called. */
export const shapeOf = (route: string): string => route.replaceAll(/:\w+/g, ':');
