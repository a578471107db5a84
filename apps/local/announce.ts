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

/** The credentials, for a person at a terminal; where the output is kept as a log, only the path of a file that holds them. */
export async function credentialLines(home: string, demo: Demo, isTerminal: boolean): Promise<string[]> {
  if (isTerminal) return demoText(demo).trimEnd().split('\n');
  const path = join(home, 'first-start.txt');
  await writePrivate(path, demoText(demo));
  return [`The demo project's API key and the board's login are in ${path}`];
}
