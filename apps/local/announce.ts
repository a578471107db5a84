import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Demo, demoText } from './demo.ts';
import { writePrivate } from './private-file.ts';
import type { OriginOf } from './processes.ts';

/** Where a person's browser finds each thing. */
export function surfaceLines(originOf: OriginOf): string[] {
  const surfaces = {
    api: originOf('API_PORT'),
    docs: `${originOf('API_PORT')}/docs`,
    redoc: `${originOf('API_PORT')}/redoc`,
    board: `${originOf('BOARD_PORT')}/`,
    ops: `${originOf('BOARD_PORT')}/ops`,
    inbox: `${originOf('SANDBOX_PORT')}/inbox`,
  };
  return Object.entries(surfaces).map(([name, url]) => `${name.padEnd(8)}${url}`);
}

/** What other machines reach now, said before anything listens. */
export function exposureLines({
  BIND_HOST,
  SANDBOX_BIND_HOST,
}: Readonly<Record<'BIND_HOST' | 'SANDBOX_BIND_HOST', string>>): string[] {
  const isLocal = (host: string) => host === 'localhost' || host === '::1' || host.startsWith('127.');
  return [
    ...(isLocal(BIND_HOST)
      ? []
      : [`WARNING: BIND_HOST=${BIND_HOST} opens the api and the board to other machines, without TLS.`]),
    ...(isLocal(SANDBOX_BIND_HOST)
      ? []
      : [
          `WARNING: SANDBOX_BIND_HOST=${SANDBOX_BIND_HOST} opens the sandbox's inbox: anybody who can open it reads every code.`,
        ]),
  ];
}

const fileOf = (home: string): string => join(home, 'first-start.txt');

/** The credentials, for a person at a terminal; where the output is kept as a log, only the path of a file that holds them. */
export async function credentialLines(home: string, demo: Demo, isTerminal: boolean): Promise<string[]> {
  if (isTerminal) return demoText(demo).trimEnd().split('\n');
  await writePrivate(fileOf(home), demoText(demo));
  return laterLines(home);
}

/** On each later start: the path, where there is such a file. */
export const laterLines = (home: string): string[] =>
  existsSync(fileOf(home))
    ? [`The API key and the board's login of the first start are in ${fileOf(home)}`]
    : [];
