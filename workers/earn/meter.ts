import type { Provider } from '../../domain/job/guard.ts';
import type { SessionId } from '../../domain/earn/ids.ts';

interface MeterSession {
  readonly sessionId: SessionId;
}

/** A provider that is a batched write: metering calls nobody outside. Repeated it writes the same. */
export const meterProvider = (
  meter: (sessionId: SessionId) => Promise<unknown>,
  onFault: (error: unknown, sessionId: SessionId) => void,
): Provider<MeterSession, 'meter'> => ({
  channel: 'meter',
  provider: 'meter',
  send: async ({ sessionId }) => {
    try {
      await meter(sessionId);
      return { kind: 'accepted', reference: null, cost: null };
    } catch (error) {
      onFault(error, sessionId);
      return { kind: 'faulted', reason: 'provider-internal' };
    }
  },
});
