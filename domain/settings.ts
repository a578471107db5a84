import { z } from 'zod';
import { identitySettings } from './identity/settings.ts';
import { baseSettings, settingsChange, type ProjectSettings as Settings } from './project/settings.ts';
import { verifySettings } from './verify/settings.ts';

const shape = { ...baseSettings, ...identitySettings, ...verifySettings };

/** What a project may set for itself: one line a context. */
export const ProjectSettings = z.object(shape) satisfies z.ZodType<Settings>;
export type ProjectSettings = Settings;
export const SettingsChange = settingsChange(shape);
