import { chatPreferences } from '../../../infra/postgres/message/preferences/chat-preferences.ts';
import { preferencesLinks } from '../../../infra/postgres/message/preferences/links.ts';
import { preferencesStore } from '../../../infra/postgres/message/preferences/preferences.ts';
import type { Platform } from '../../../infra/process/platform.ts';
import type { ProcessConfig } from '../../../infra/process/variables.ts';
import { botSettings } from './settings.ts';

export const wireSettings = ({ config, pools, hash }: Platform<ProcessConfig<'bot'>>) =>
  botSettings(
    chatPreferences({
      pool: pools.hot,
      links: preferencesLinks(hash, config.PUBLIC_URL),
      store: preferencesStore(pools.hot, hash),
    }),
  );
