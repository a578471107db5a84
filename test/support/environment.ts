import { newSecrets } from '../../infra/new-secrets.ts';

/** An environment with which every process starts, as far as a test does not need more of it. */
export function testEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    NODE_ENV: 'test',
    DATABASE_URL: 'postgres://127.0.0.1:9/none',
    REDIS_URL: 'redis://127.0.0.1:9',
    BIND_HOST: '127.0.0.1',
    ...newSecrets(new Date()),
    ...more,
  };
}
