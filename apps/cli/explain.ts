import type { Command } from 'commander';
import { type CliContext, CliError, type CliPorts, type JsonOption, tell, type Told } from './context.ts';

/** What one context can tell of an id: of one of its tables. */
export interface Explainer {
  /** As in `There is no … ID`. */
  readonly what: string;
  /** Whether it may be one of its ids, by its form alone. */
  readonly takes: (text: string) => boolean;
  /** Null where there is none. */
  readonly explain: (ports: CliPorts, text: string) => Promise<Told | null>;
}

/** `navbat explain`: the first context whose tables know the id tells of it. */
export function explainCommand(
  program: Command,
  context: CliContext,
  explainers: readonly Explainer[],
): void {
  if (explainers.length === 0) return;
  const whats = explainers.map(({ what }) => what).join(' or ');
  program
    .command('explain <id>')
    .description(`what happened, in order: to a ${whats}`)
    .option('--json')
    .action((id: string, options: JsonOption) =>
      context.withPorts(async (ports) => {
        const asked = explainers.filter(({ takes }) => takes(id));
        if (asked.length === 0) throw new CliError(`${id}: expected the id of a ${whats}.`);
        for (const { explain } of asked) {
          const told = await explain(ports, id);
          if (told) return tell(context, options, told);
        }
        throw new CliError(`There is no ${whats} ${id}, or nothing is kept of it any more.`);
      }),
    );
}
