import { addressClasses } from '../../../domain/earn/address/class.ts';
import { ConfigError, type ConfigOf } from '../../process/config.ts';
import type { FileSource } from './files.ts';

type Asked = Pick<ConfigOf<'ADDRESS_DATABASES' | 'ADDRESS_LISTS'>, 'ADDRESS_DATABASES' | 'ADDRESS_LISTS'>;

/**
 * The files that say what addresses are.
 *
 * @throws ConfigError where a list has the name of no class.
 */
export const configuredFiles = ({
  ADDRESS_DATABASES: databases = [],
  ADDRESS_LISTS: lists = [],
}: Asked): readonly FileSource[] => [
  ...databases.map((path) => ({ kind: 'database' as const, path })),
  ...lists.map(({ name, path }) => ({ kind: 'list' as const, path, class: classNamed(name) })),
];

function classNamed(name: string) {
  const named = addressClasses.find((one) => one === name);
  if (named === undefined)
    throw new ConfigError(`ADDRESS_LISTS: expected class=path with one of ${addressClasses.join(', ')}`);
  return named;
}
