import type { EntityManager } from '@mikro-orm/postgresql';
import { isOfOneAlphabet, isReservedName, nameSkeleton } from '../../../domain/project/display-name.ts';

/** Runs in the transaction of `tx`. */
const run = (tx: EntityManager, sql: string, values: unknown[]) =>
  tx.getConnection().execute<{ project_id: string }[]>(sql, values, 'all', tx.getTransactionContext());

/**
 * Takes the name for the project, and lets go of those it had. Of two projects that ask for one look at once, the second waits for
 * the first's commit and then finds it taken: a primary key decides.
 *
 * @param given staff's word: they may give a name that reads as another's or mixes alphabets. It is kept from others all the same.
 * @returns false, with nothing written, where it reads as Navbat's own or as another project's, or mixes alphabets within a word.
 */
export async function takeName(
  tx: EntityManager,
  project: { readonly id: string; readonly slug: string },
  name: string | null,
  given: boolean,
): Promise<boolean> {
  if (name !== null) {
    if (!given && (isReservedName(name) || !isOfOneAlphabet(name))) return false;
    const skeleton = nameSkeleton(name);
    await run(
      tx,
      'insert into project_name (skeleton, project_id) values (?, ?) on conflict (skeleton) do nothing returning project_id',
      [skeleton, project.id],
    );
    const [owner] = await run(tx, 'select project_id from project_name where skeleton = ?', [skeleton]);
    if (!given && owner?.project_id !== project.id) return false;
  }
  const kept = [project.slug, ...(name === null ? [] : [name])].map(nameSkeleton);
  await run(
    tx,
    `delete from project_name where project_id = ? and skeleton not in (${kept.map(() => '?').join(', ')}) returning project_id`,
    [project.id, ...kept],
  );
  return true;
}

/** A slug is staff's to give: it is kept from others, and stands beside one that was there before. */
export async function keepSlug(tx: EntityManager, project: { id: string; slug: string }): Promise<void> {
  await run(
    tx,
    'insert into project_name (skeleton, project_id) values (?, ?) on conflict (skeleton) do nothing returning project_id',
    [nameSkeleton(project.slug), project.id],
  );
}
