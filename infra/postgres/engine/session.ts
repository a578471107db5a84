/**
 * What every connection of a process asks for at its start, whatever a role or a database is set to: a commit that was answered outlives
 * a crash, and who waits for a lock sees what was committed meanwhile. For `options` of a pool or client; more may stand behind it.
 */
export const SESSION = String.raw`-c synchronous_commit=on -c default_transaction_isolation=read\ committed`;
