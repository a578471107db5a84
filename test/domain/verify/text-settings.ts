import { ProjectSettings } from '../../../domain/settings.ts';
import type { TextSettings } from '../../../domain/verify/text.ts';

/** What a project sets about texts: what is not named is as a new project has it. */
export const textSettings = (settings: Partial<TextSettings> = {}): TextSettings =>
  ProjectSettings.parse(settings);
