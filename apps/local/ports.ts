import type { PortName } from './environment.ts';

export interface PortChoice {
  readonly name: PortName;
  readonly port: number;
}

/** Says of every chosen port why it can't be used, a sentence each; none when all can. */
export async function portTroubles(
  choices: readonly PortChoice[],
  isFree: (port: number) => Promise<boolean>,
): Promise<string[]> {
  const troubles: string[] = [];
  for (const { name, port } of choices) {
    const twin = choices.find((other) => other.port === port);
    if (twin !== undefined && twin.name !== name)
      troubles.push(`${name} and ${twin.name} are both ${port}; give them different ports.`);
    else if (!(await isFree(port)))
      troubles.push(
        `${name}: port ${port} is taken by another program; choose another, such as ${name}=${port + 100}.`,
      );
  }
  return troubles;
}
