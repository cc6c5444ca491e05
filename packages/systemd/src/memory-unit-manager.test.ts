import { TestClock } from '@flotilla/runtime';
import { MemoryUnitManager } from './memory-unit-manager.js';
import { unitManagerContract } from './unit-manager.contract.js';

unitManagerContract('in memory', async () => {
  const clock = new TestClock();
  const manager = new MemoryUnitManager({ clock });
  return {
    manager,
    hostUnitsDirectory: '/etc/systemd/system',
    addHostUnit: async (unit) => manager.addHostUnit(unit),
    advance: (ms) => clock.advance(ms),
    close: async () => {},
  };
});
