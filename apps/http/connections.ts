import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { netsOf } from '../../domain/shared/ip-address.ts';

export interface ConnectionLimits {
  /** Proxies of ours in front: then everybody comes from their address, and they bound what each caller holds. */
  readonly proxies?: number;
  readonly perAddressMax?: number;
  readonly silentMs?: number;
}

/** A busy service keeps a pool of some dozens, a browser six; each open one costs a descriptor and some 10 kB. */
const PER_ADDRESS_MAX = 512;
/** Over all addresses: below the descriptors that a process commonly has (16 384), which Postgres and Redis need too. */
const CONNECTIONS_MAX = 10_000;
/** Browsers open connections in advance; what has not said a word by then only holds one. */
const SILENT_MS_MAX = 10_000;

/** Closes at once what one address opens beyond its share, and what was opened and never used. IPv6 is counted as limits are. */
export function limitConnections(
  server: Server,
  { proxies = 0, perAddressMax = PER_ADDRESS_MAX, silentMs = SILENT_MS_MAX }: ConnectionLimits = {},
): void {
  const held = new Map<string, number>();
  const change = (subject: string, by: 1 | -1): number => {
    const now = (held.get(subject) ?? 0) + by;
    if (now === 0) held.delete(subject);
    else held.set(subject, now);
    return now;
  };
  server.maxConnections = CONNECTIONS_MAX;
  server.on('connection', (socket: Socket) => {
    closeIfSilent(socket, silentMs);
    if (proxies > 0) return;
    const nets = netsOf(socket.remoteAddress ?? '');
    const isOver = nets
      .map(({ subject, times }) => change(subject, 1) > perAddressMax * times)
      .includes(true);
    socket.once('close', () => nets.forEach(({ subject }) => change(subject, -1)));
    if (isOver) socket.destroy();
  });
}

function closeIfSilent(socket: Socket, silentMs: number): void {
  const timer = setTimeout(() => {
    if (socket.bytesRead === 0) socket.destroy();
  }, silentMs).unref();
  socket.once('close', () => clearTimeout(timer));
}
