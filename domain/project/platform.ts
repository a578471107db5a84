import { ProjectId } from '../shared/ids.ts';

/**
 * Navbat as its own customer: the codes, pushes and messages of its app are jobs of this project, under the limits of every
 * other. The row is made by the migration that brought persons.
 */
export const PLATFORM_PROJECT_ID = ProjectId.parse('01990000-0000-7000-8000-000000000001');
export const PLATFORM_SLUG = 'navbat';
