import {
  findSettingProblem,
  isSettingKey,
  parseSettings,
  type SettingKey,
  settingKeys,
  settingTable,
  unknownSetting,
} from '@flotilla/cluster';
import { readSettings, writeSettings } from '@flotilla/registry';
import { parseSettingsRequest, type SettingEntity, type SettingsAnswer } from '@flotilla/schema';
import { findWrongType } from './json-type.js';
import type { ApiResponse } from './request.js';
import type { RoutedRequest } from './resource.js';
import { failure, json } from './responses.js';

/** `GET settings`: every cluster setting, with what holds. */
export async function getSettings({ deps }: RoutedRequest): Promise<ApiResponse> {
  const texts = await readSettings(deps);
  const { problems } = parseSettings(texts);
  const answer: SettingsAnswer = {
    settings: settingKeys.map((key) => toEntity(key, { text: texts.get(key), problem: problems.get(key) })),
  };
  return json(answer);
}

/** `PUT settings`: sets some, or has them set no longer, all or none; answers as {@link getSettings}. */
export async function putSettings(routed: RoutedRequest): Promise<ApiResponse> {
  const { deps, request } = routed;
  const wrongType = findWrongType(request);
  if (wrongType !== undefined) return wrongType;
  const body = parseSettingsRequest(request.body);
  if (body.kind === 'refused') return failure(400, `unable to decode body: ${body.why}`);
  const texts = new Map<SettingKey, string | undefined>();
  const problems: string[] = [];
  for (const [key, value] of Object.entries(body.request)) {
    const text = value === null ? undefined : String(value).trim();
    const problem = text === undefined ? undefined : findSettingProblem(key, text);
    if (!isSettingKey(key)) problems.push(unknownSetting(key));
    else if (problem !== undefined) problems.push(problem);
    else texts.set(key, text);
  }
  if (problems.length > 0) return failure(400, problems.join('; '));
  await writeSettings(deps.store, texts);
  if (texts.size > 0) deps.log.info('settings were changed', { settings: Object.fromEntries(texts) });
  return await getSettings(routed);
}

function toEntity(
  key: SettingKey,
  { text, problem }: { readonly text: string | undefined; readonly problem: string | undefined },
): SettingEntity {
  const { expected, fallback, help } = settingTable[key];
  return {
    default: fallback,
    expected,
    help,
    isSet: text !== undefined,
    key,
    ...(problem !== undefined && { problem }),
    value: problem === undefined ? (text ?? fallback) : fallback,
  };
}
