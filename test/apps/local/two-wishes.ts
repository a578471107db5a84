import { listenForStop } from '../../../apps/local/stop-signals.ts';

/** Says what it makes of the signals that it gets. */
const { stop, force } = listenForStop(() => false);
stop.addEventListener('abort', () => process.stdout.write('stop\n'));
force.addEventListener('abort', () => process.stdout.write('force\n'));
setInterval(() => undefined, 60_000);
process.stdout.write('listening\n');
