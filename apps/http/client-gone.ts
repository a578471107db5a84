/**
 * The client closed its connection before its request had arrived, or its answer. Nobody reads it, and nothing is wrong with us:
 * it is logged as debug and counted as 499, as nginx calls it.
 */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';

  constructor() {
    super('The client closed the connection before its request, or the answer to it, had arrived.');
  }
}

export const CLIENT_GONE_STATUS = 499;
