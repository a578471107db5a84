import { randomUUID } from 'node:crypto';
import type { ProofBinds } from '../../../domain/staff/proof.ts';
import type { Owner, World } from './world.ts';

export interface Ask {
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without `X-Forwarded-For`: from this machine. */
  readonly isNear?: boolean;
}

/** How to ask one route for something of somebody's. */
export interface Fixture {
  /** Makes what the route is about, and tells its id. A route without is about nothing that belongs to anybody. */
  readonly make?: (world: World, owner: Owner) => Promise<string>;
  /** With the simplest body that fits, and whatever proof the route itself asks for. */
  readonly ask: (id: string, world: World, owner: Owner) => Ask | Promise<Ask>;
  /** The id of nothing. */
  readonly nothing?: () => string;
  /** What it answers to who may; default: any success. */
  readonly answers?: readonly number[];
  /** Stands in that answer, where its status could be the policy's as well. */
  readonly says?: string;
  /** Test keys and live keys of a project know the same ones. */
  readonly isShared?: boolean;
  /** What it answers for another's and for nothing alike; default 404. */
  readonly lacks?: number;
  /** A list: it holds the id of its own and not of the other's. */
  readonly lists?: boolean;
  /** Asks the same without the proof that the route itself asks for, and what it answers then. */
  readonly unproven?: { readonly ask: Fixture['ask']; readonly answers: number };
  /** It is a WebSocket: the token is shown in it, and the code with which it closes is the answer. */
  readonly isSocket?: true;
  /** Of a route of staff that asks for a proof: makes what this member may approve, and says what a proof of it binds. */
  readonly proof?: (world: World, staffId: string) => Promise<Approvable>;
}

export interface Approvable {
  readonly binds: ProofBinds;
  /** With this proof; null for none. */
  readonly ask: (proofId: string | null) => Ask | Promise<Ask>;
}

export const noId = () => randomUUID();
