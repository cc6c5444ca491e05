import type { SettingsRequest } from '@flotilla/schema';
import { type Command, Option } from 'commander';
import type { Context } from './context.js';
import { exitCodes } from './exit-codes.js';

/** Adds the flag of commands that change something and say what came of it. */
export function addJsonFlag(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <form>', 'print what came of it as JSON, as the API gives it').choices(['json']),
  );
}

/** Changes settings and prints what they are now. */
export async function changeSettings(
  { client, screen }: Context,
  request: SettingsRequest,
  { output }: { readonly output?: 'json' },
): Promise<number> {
  const answer = await client.changeSettings(request);
  if (output === 'json') screen.write(`${JSON.stringify(answer, null, 2)}\n`);
  else
    for (const { key, value, isSet } of answer.settings)
      if (Object.hasOwn(request, key)) screen.out(`${key} is ${value}${isSet ? '' : ', the default'}`);
  return exitCodes.done;
}
