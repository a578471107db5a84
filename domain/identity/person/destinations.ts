import type { DeviceId } from '../device/device.ts';
import type { PersonId } from './person.ts';
import type { ProjectId } from '../../shared/ids.ts';

/** Where codes go. A destination is locked in one project, and opened by its person alone, in the projects that know them. */
export interface Destinations {
  /**
   * The person acts on a bound device: what too many wrong codes locked before its day is over opens, and the failures are
   * forgotten (NIST SP 800-63B-4 §3.2.2). Tells the person where something was locked, and answers how many there were.
   */
  lift(personId: PersonId, deviceId: DeviceId, now: Date): Promise<number>;
  /**
   * The same from a Telegram chat, and in the project whose bot it is; null unless the chat is proven to be somebody's whose phone
   * is proven too.
   */
  liftFromChat(telegramId: number, projectId: ProjectId, now: Date): Promise<number | null>;
}
