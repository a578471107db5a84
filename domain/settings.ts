import { z } from 'zod';
import { earnSettings } from './earn/settings.ts';
import { identitySettings } from './identity/settings.ts';
import { messageSettings } from './message/settings.ts';
import { paySettings } from './pay/settings.ts';
import {
  baseSettings,
  changedSettings,
  type ProjectSettings as Settings,
  settingsChange,
  type SettingWarning,
} from './project/settings.ts';
import { verifyChanges, verifySettings, verifyWarnings } from './verify/settings.ts';

const shape = {
  ...baseSettings,
  ...earnSettings,
  ...identitySettings,
  ...messageSettings,
  ...paySettings,
  ...verifySettings,
};

/** What a project may set for itself: one line a context. */
export const ProjectSettings = z.object(shape) satisfies z.ZodType<Settings>;
export type ProjectSettings = Settings;
/** What a change is held to besides: one line a context. */
const changes = {
  ...shape,
  ...verifyChanges,
};
export const SettingsChange = settingsChange(changes);

/** The settings that a change would lead to. */
export const settingsAfter = (settings: Settings, change: Readonly<Record<string, unknown>>): Settings =>
  ProjectSettings.parse(changedSettings({ ...settings }, change));

/** What a project is told of its settings, under the name that people read: one line a context. */
const warnings: readonly ((project: string, settings: Settings) => readonly SettingWarning[])[] = [
  // Texts of codes.
  verifyWarnings,
];
export const settingWarnings = (project: string, settings: Settings): readonly SettingWarning[] =>
  warnings.flatMap((of) => of(project, settings));
