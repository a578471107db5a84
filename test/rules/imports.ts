import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

export interface Reached {
  /** Absolute paths, the entry included. */
  readonly files: readonly string[];
  /** Names of npm packages, without what Node has itself. */
  readonly packages: ReadonlySet<string>;
}

/** `import type` is gone before Node loads a file, so it reaches nothing. */
const importOf = /(?:^(?:import|export) (?!type\b)[^;]*?from |^import |\bimport\()'([^']+)'/gm;

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Everything that Node would load for this entry, by reading the imports of each file in turn; of files that `follows` leaves out, nothing. */
export function importsFrom(entry: string, follows: (file: string) => boolean = () => true): Reached {
  const files = new Set<string>([entry]);
  const packages = new Set<string>();

  for (const file of files)
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(importOf)) {
      if (specifier.startsWith('.')) {
        const imported = resolve(dirname(file), specifier);
        if (follows(imported)) files.add(imported);
      } else if (!specifier.startsWith('node:')) packages.add(packageOf(specifier));
    }
  return { files: [...files], packages };
}
