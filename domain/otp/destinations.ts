import type { ProjectId } from '../job/job.ts';
import type { Destination } from './intake.ts';

/** Where a project's codes go. */
export interface Destinations {
  /**
   * Opens what too many wrong codes in a row locked before its day is over, and forgets them (NIST SP 800-63B-4 §3.2.2). False
   * where nothing was locked.
   */
  unlock(projectId: ProjectId, destination: Destination, now: Date): Promise<boolean>;
}
