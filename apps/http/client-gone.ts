/**
 * The client closed its connection before its request had arrived. Nobody reads the answer, and nothing is wrong with us:
 * it is logged as debug and counted as 499, as nginx calls it.
 */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';

  constructor() {
    super('The client closed the connection before its request had arrived.');
  }
}

export const CLIENT_GONE_STATUS = 499;
