import type { ProjectId } from '../../shared/ids.ts';
import type { KeyMode } from '../../project/key.ts';

/** S3's user: whoever proved a phone to a project, known by that phone. */
export interface PhoneUser {
  readonly id: string;
  readonly phone: string;
}

export interface PhoneUsers {
  /**
   * Registers at the first proof, logs in at every later one. A test key shows its codes, so that they prove nothing: its
   * users are others than those of the live keys.
   */
  login(projectId: ProjectId, mode: KeyMode, phone: string, now: Date): Promise<PhoneUser>;
}

/** An hour: S3 knows no refresh, and a phone logs in again with one message. */
export const ACCESS_TOKEN_SECONDS = 3_600;

export interface AccessTokens {
  /** A JWT (RFC 7519) for `user`, whose audience is the project; of a test key, `test:` and the project. */
  issue(user: PhoneUser, projectId: ProjectId, mode: KeyMode, now: Date): Promise<string>;
}
