/** Kinds whose backlog waits in Postgres, and how many of each may be in hand: their tickets, waiting or at work. */
export interface ReleasedLane<Kind extends string> {
  readonly kind: Kind;
  readonly inHandMax: number;
}

export interface ReleasePorts<Kind extends string> {
  /** Tickets of this kind that wait or are at work; sleeping ones do not count. */
  inHand(kind: Kind): Promise<number>;
  /** Releases up to so many jobs, evenly over the projects, and publishes their tickets; answers how many. */
  release(kind: Kind, room: number): Promise<number>;
}

/**
 * Lets each lane have a bounded window of its backlog, so that no project's ten thousand stand before another's ten, and a
 * pause or a cancellation of a broadcast takes hold at once. Runs beside the sweep.
 */
export function releaser<Kind extends string>(
  lanes: readonly ReleasedLane<Kind>[],
  ports: ReleasePorts<Kind>,
): () => Promise<number> {
  const releaseLane = async ({ kind, inHandMax }: ReleasedLane<Kind>) => {
    const room = inHandMax - (await ports.inHand(kind));
    return room > 0 ? ports.release(kind, room) : 0;
  };
  return async () => {
    const released = await Promise.all(lanes.map(releaseLane));
    return released.reduce((sum, count) => sum + count, 0);
  };
}
