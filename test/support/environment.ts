import { newSecrets } from '../../infra/process/new-secrets.ts';

const given = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );

/** What every process of a test needs of the run's own environment: programs, and code that is compiled already. */
export const baseVariables = given(['PATH', 'NODE_COMPILE_CACHE']);

/** An environment with which every process starts, as far as a test does not need more of it. */
export function testEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    ...baseVariables,
    NODE_ENV: 'test',
    DATABASE_URL: 'postgres://127.0.0.1:9/none',
    MIGRATE_DATABASE_URL: 'postgres://127.0.0.1:9/none',
    REDIS_URL: 'redis://127.0.0.1:9',
    BIND_HOST: '127.0.0.1',
    ...newSecrets(new Date()),
    ...more,
  };
}
