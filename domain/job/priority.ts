/**
 * Among the jobs of one project and kind those of a lower place go first; between projects turns alone decide, so that nobody's
 * urgent ones hold up another project.
 */
export const priorities = ['urgent', 'normal', 'bulk'] as const;
export type Priority = (typeof priorities)[number];

/** The place of a job that was not asked for with a priority, such as a callback. */
export const rankOf = (priority: Priority): number => priorities.indexOf(priority);
