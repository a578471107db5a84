/**
 * A transaction that waits for its process for longer is ended by Postgres: until then it may hold the lock of a book or of its chain, for
 * which all others who post or close wait. None of ours waits for anything but Postgres between two statements.
 */
const IDLE_IN_TRANSACTION_MS = 15_000;

/**
 * What every connection of a process asks for at its start, whatever a role, a database or a server is set to: a commit that was answered
 * outlives a crash, who waits for a lock sees what was committed meanwhile, and a day begins when it does everywhere. What it can't ask
 * for, or only a superuser, is compared instead: `runtime-surroundings.ts`.
 */
const SESSION = [
  'synchronous_commit=on',
  String.raw`default_transaction_isolation=read\ committed`,
  'TimeZone=UTC',
  `idle_in_transaction_session_timeout=${IDLE_IN_TRANSACTION_MS}`,
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

interface Own {
  /** As on the command line of Postgres. */
  readonly options?: string;
}

/**
 * For each pool and client of a process. pg lets a URL win over all that stands beside it: what we set ourselves is taken out of the URL,
 * and its `options` go before ours, since Postgres takes the last one of a name.
 */
export function connection<Given extends object>(
  databaseUrl: string,
  own?: Given & Own,
): Given & { connectionString: string; options: string } {
  const url = new URL(databaseUrl);
  const given = url.searchParams.get('options');
  for (const name of ['options', 'idle_in_transaction_session_timeout', ...Object.keys(own ?? {})])
    url.searchParams.delete(name);
  const options = [given, SESSION, own?.options].filter(Boolean).join(' ');
  return { ...(own as Given), connectionString: url.href, options };
}
