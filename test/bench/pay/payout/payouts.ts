import { machine } from '../../support/cpu.ts';
import { type Figure } from '../../support/figures.ts';
import type { Options } from '../../support/options.ts';
import { onStage } from '../../support/stage.ts';
import { largeBatch } from './large-batch.ts';
import { preparation } from './preparation.ts';
import { shareOfRail } from './share.ts';
import { PayoutStage } from './stage.ts';

/** What one worker makes of a rail's own maximum, and what a large batch asks of everything else. */
export async function payouts(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  if (options.batch > 0)
    await onStage(options, async (stage) => void figures.push(...(await preparation(stage))));
  await onStage(options, async (stage) => {
    const bench = await PayoutStage.open(stage);
    console.error(`everything is up (${machine()})`);
    if (options.items > 0) figures.push(...(await shareOfRail(bench)));
    if (options.batch > 0) figures.push(...(await largeBatch(bench)));
    await bench.close();
  });
  return figures;
}
