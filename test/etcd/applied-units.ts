/** What was applied for owners and not taken back: what must be in the registry of that. */
export class AppliedUnits {
  /** Files of units, by owner and name. */
  readonly #claims = new Map<string, Map<string, string>>();

  hold(owner: string, name: string, file: string): void {
    const claims = this.#claims.get(owner) ?? new Map<string, string>();
    this.#claims.set(owner, claims.set(name, file));
  }

  drop(owner: string, name: string): void {
    this.#claims.get(owner)?.delete(name);
  }

  /** Decoded records by key, without the times of last changes. */
  expected(): ReadonlyMap<string, unknown> {
    const kept = new Map<string, unknown>();
    for (const [owner, claims] of this.#claims) {
      for (const [name, file] of claims) kept.set(`dirs/${owner}/.apply/${name}`, { file, source: name });
      const nothing = { problems: [], problemCount: 0, conflicts: [], conflictCount: 0 };
      const row = { path: '', pass: 0, units: claims.size, isThere: true, ...nothing };
      if (claims.size > 0) kept.set(`dir-hosts/${owner}/.apply`, row);
    }
    return kept;
  }
}
