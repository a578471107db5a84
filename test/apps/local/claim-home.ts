import { claimHome } from '../../../apps/local/home.ts';
import { startMark } from '../../../infra/embedded/process.ts';

/** Claims the home that it is given, says how that went, and lives until it is killed. */
const home = process.argv[2];
if (home === undefined) throw new Error('Say which home.');
const said = await claimHome(home, startMark).then(
  () => 'claimed',
  (error: unknown) => (error instanceof Error ? error.name : 'failed'),
);
process.stdout.write(`${said}\n`);
setInterval(() => undefined, 60_000);
