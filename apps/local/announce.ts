import { join } from 'node:path';
import { type Demo, demoText } from './demo.ts';
import type { PortChoice } from './ports.ts';
import { writePrivate } from './private-file.ts';

/** Where a person's browser finds each thing. */
export function surfaceLines(ports: readonly PortChoice[]): string[] {
  const at = Object.fromEntries(ports.map(({ name, port }) => [name, `http://127.0.0.1:${port}`]));
  const surfaces = [
    ['api', at['API_PORT']],
    ['docs', `${at['API_PORT']}/docs`],
    ['redoc', `${at['API_PORT']}/redoc`],
    ['board', `${at['BOARD_PORT']}/`],
    ['ops', `${at['BOARD_PORT']}/ops`],
    ['inbox', `${at['SANDBOX_PORT']}/inbox`],
  ];
  return surfaces.map(([name = '', url = '']) => `${name.padEnd(8)}${url}`);
}

/** The credentials, for a person at a terminal; where the output is kept as a log, only the path of a file that holds them. */
export async function credentialLines(home: string, demo: Demo, isTerminal: boolean): Promise<string[]> {
  if (isTerminal) return demoText(demo).trimEnd().split('\n');
  const path = join(home, 'first-start.txt');
  await writePrivate(path, demoText(demo));
  return [`The demo project's API key and the board's login are in ${path}`];
}
