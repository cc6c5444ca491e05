import { examples, type LocalCommand } from '../command.js';
import { completionScripts, type Shell } from '../completion-scripts.js';
import { exitCodes } from '../exit-codes.js';

const uses: Readonly<Record<Shell, readonly string[]>> = {
  bash: [
    'fleetctl completion bash > /etc/bash_completion.d/fleetctl',
    'source <(fleetctl completion bash)    for this shell alone',
  ],
  zsh: [
    'fleetctl completion zsh > /usr/local/share/zsh/site-functions/_fleetctl',
    'source <(fleetctl completion zsh)    for this shell alone',
  ],
  fish: [
    'fleetctl completion fish > ~/.config/fish/completions/fleetctl.fish',
    'fleetctl completion fish | source    for this shell alone',
  ],
};

/** Prints what makes a shell complete lines of fleetctl. */
export function completion(shell: Shell): LocalCommand {
  return {
    configure(command) {
      command
        .description(
          `Prints a script that makes ${shell} complete commands, flags, and the names of units and machines. It asks ` +
            'fleetctl each time, so it knows what this version knows, and what the fleetd that FLEETCTL_ENDPOINT names has.',
        )
        .addHelpText('after', examples(...uses[shell]));
    },
    async runLocally({ screen }) {
      screen.write(completionScripts[shell]);
      return exitCodes.done;
    },
  };
}
