import { z } from 'zod';
import { type Installation, SHOWN_INSTALLATIONS_MAX } from '../../../domain/earn/people/port.ts';

export const InstallationBodies = z
  .array(
    z.object({
      id: z.uuid(),
      sessions: z.int().meta({ description: 'That began in the last thirty days.' }),
      last_session_at: z.date().meta({ description: 'When the last of them began.' }),
    }),
  )
  .meta({ description: `The last ${SHOWN_INSTALLATIONS_MAX} that were shared from.` });

export const installationBody = ({ id, sessions, lastSessionAt }: Installation) => ({
  id,
  sessions,
  last_session_at: lastSessionAt,
});
