/** What the system knows of a process. */
export interface ProcessFacts {
  readonly name: string;
  readonly parent: number;
}

const SHELLS = /^(sh|dash|bash|ash|zsh)$/;

/**
 * The processes between a person's `npm start` and us: npm, and the shell that it starts us through. Both may be killed
 * without a word to us, since a shell passes no signal on; then we are to stop as if we had been told. None without npm: whoever
 * starts us from a script may well end before us.
 */
export function npmProcesses(
  lifecycle: string | undefined,
  parent: number,
  factsOf: (pid: number) => ProcessFacts | undefined,
): readonly number[] {
  if (lifecycle === undefined) return [];
  const facts = factsOf(parent);
  return facts !== undefined && SHELLS.test(facts.name) ? [parent, facts.parent] : [parent];
}
