import type { TestProject } from 'vitest/node';
import { keepServers, Servers } from './kept-servers.ts';

declare module 'vitest' {
  interface ProvidedContext extends Servers {}
}

/** Of a run that is one of many: their servers, as JSON. */
const given = process.env['NAVBAT_TEST_SERVERS'];

/** One Postgres and one Redis a run; the returned function stops them. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const { servers, stop } =
    given === undefined
      ? await keepServers()
      : { servers: Servers.parse(JSON.parse(given)), stop: () => Promise.resolve() };
  provide('postgres', servers.postgres);
  provide('redisUrl', servers.redisUrl);
  provide('redisDatabases', servers.redisDatabases);
  return stop;
}
