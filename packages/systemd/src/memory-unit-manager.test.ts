import { TestClock } from '@flotilla/runtime';
import { MemoryUnitManager } from './memory-unit-manager.js';
import { unitManagerContract } from './unit-manager.contract.js';

unitManagerContract('in memory', async () => {
  const clock = new TestClock();
  return {
    manager: new MemoryUnitManager({ clock }),
    advance: (ms) => clock.advance(ms),
    close: async () => {},
  };
});
