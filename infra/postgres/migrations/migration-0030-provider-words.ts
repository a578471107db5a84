import { Migration } from '@mikro-orm/migrations';

/** What a provider said of an attempt, and how long it asked us to wait. */
export class Migration0030ProviderWords extends Migration {
  override up(): void {
    this.addSql(providerWords);
  }
}

const providerWords = `
alter table attempt
  -- One line in the provider's own words, with numbers, links and tokens taken out.
  add provider_message text check (length(provider_message) <= 400),
  -- The next try on this provider comes no sooner: a wake-up that reads the attempt again must know it.
  add retry_after_ms int check (retry_after_ms >= 0);
`;
