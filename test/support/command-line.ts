import { runCommand } from '../../apps/cli/run.ts';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `npm run navbat -- …` to its end, in this process: one of its own takes a second to start. */
export async function navbatCommand(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  input = '',
): Promise<Ended> {
  const said = { out: '', err: '' };
  const code = await runCommand(args, {
    variables,
    writeOut: (text) => void (said.out += text),
    writeErr: (text) => void (said.err += text),
    readStdin: async () => input,
  });
  return { code, ...said };
}
