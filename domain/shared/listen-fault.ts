const PORT_MAX = 65_535;
/** Far enough from the usual ports of ours, which stand in a row. */
const PORT_STEP = 100;

/**
 * Why a server can't listen, and what to do next, in a line.
 *
 * @param variable the setting that named the port.
 * @param code of the error that listening met.
 */
export function listenFault(variable: string, port: number, host: string, code: string | undefined): string {
  const why = code === 'EADDRINUSE' ? 'is taken' : `at ${host} can't be listened on (${code})`;
  const next =
    code === 'EADDRNOTAVAIL'
      ? 'Set the address to listen on (BIND_HOST; SANDBOX_BIND_HOST of the sandbox) to one of this machine'
      : `${code === 'EADDRINUSE' ? 'Stop the program that listens there, or set' : 'Set'} ${variable} to another port, such as ${otherPort(port)}`;
  return `${variable}: port ${port} ${why}. ${next}.`;
}

/** That may be free. */
export const otherPort = (port: number) =>
  port + PORT_STEP > PORT_MAX ? port - PORT_STEP : port + PORT_STEP;
