/** What is kept there is gone after a reboot. */
export function runtimeDirectory(isUserManager: boolean): string {
  return isUserManager ? (process.env.XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.()}`) : '/run';
}
